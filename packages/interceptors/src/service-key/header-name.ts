export const defaultHeader = "x-service-key";

/** @throws TypeError for what cannot be metadata of an application (gRPC over HTTP/2, "Custom-Metadata") */
export function checkHeaderName(where: string, name: unknown): void {
  if (typeof name === "string" && /^[a-z0-9_.-]+$/.test(name) && !name.startsWith("grpc-") && !name.endsWith("-bin"))
    return;
  throw new TypeError(
    `${where}: header is ${JSON.stringify(name)}; it has to be in lower case, and neither begin with "grpc-" nor end in "-bin"`,
  );
}
