/** What a client says of itself with each request to the paper venue. */

/** Carries a sender's name (for instance `strategy`, `exit-worker`), so that the venue's books tell one sender's orders from another's. */
export const SOURCE_HEADER = 'x-source';
/** Where the sender believes that it is: anything but reading the account is refused if the venue is another. */
export const ENVIRONMENT_HEADER = 'x-environment';
/** The sender's monotonic clock and boot id: from them, and not from arrival, the venue counts an order's age. */
export const SENT_HEADER = 'x-sent-ms';
export const BOOT_HEADER = 'x-boot-id';
