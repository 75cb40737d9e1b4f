/** Connect's CallOptions: zero and less switch the default off. */
export function effectiveTimeout(given: number | undefined, byDefault: number | undefined): number | undefined {
  if (given === undefined) return byDefault;
  return given <= 0 ? undefined : given;
}
