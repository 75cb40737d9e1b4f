/**
 * How many calls take about so many seconds at a rate: at least one for each place that the load has, and as many for each connection, as
 * h2load shares them out.
 */
export function callCount(
  callsPerSecond: number,
  seconds: number,
  load: { readonly connections: number; readonly streams: number },
): number {
  const perConnection = Math.round((callsPerSecond * seconds) / load.connections);
  return load.connections * Math.max(load.streams, perConnection);
}
