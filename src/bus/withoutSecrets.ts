/** A bus URL that may be logged: without user, password and secret parameters, whatever else is wrong with it. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//…@').replace(/([?&]sentinelPassword=)[^&#]*/g, '$1…');
}
