/** @throws RangeError unless the option is absent or a whole number within the bounds, both included */
export function checkWholeNumber(
  where: string,
  name: string,
  value: number | undefined,
  min: number,
  max: number,
): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new RangeError(`${where}: ${name} is ${String(value)}; it has to be a whole number from ${min} to ${max}`);
}
