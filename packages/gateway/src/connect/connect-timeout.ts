import { Code, ConnectError } from "@connectrpc/connect";

const pattern = /^[0-9]{1,10}$/;

/**
 * Parses `Connect-Timeout-Ms`: a whole number of milliseconds with at most ten digits.
 *
 * @throws ConnectError InvalidArgument
 */
export function parseConnectTimeout(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (pattern.test(value)) return Number(value);
  const shown = JSON.stringify(value.slice(0, 32));
  throw new ConnectError(`invalid connect-timeout-ms ${shown}: expected one to ten digits`, Code.InvalidArgument);
}
