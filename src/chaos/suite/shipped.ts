/** The names of the suites in the package, apart from what reads them. */
export const SHIPPED_SUITES = ['dirt', 'fit', 'jepsen'] as const;
