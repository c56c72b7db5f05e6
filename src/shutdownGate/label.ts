/** What an order is called in reports. */

export const DEFAULT_LABEL = 'order';

/** The text of whatever a caller calls its order. A label is for reports: one that has no text must not decide whether an order is sent. */
export function labelText(label: unknown): string {
  try {
    return String(label);
  } catch {
    return DEFAULT_LABEL;
  }
}
