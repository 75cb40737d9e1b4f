/** The server responds to a request with this message with `largeResponseBytes` of payload … */
export const largeResponseMessage = "a large response";
export const largeResponseBytes = 65_536;

/** … and to one with this message after `slowResponseMs`, even if the call has ended. */
export const slowResponseMessage = "a slow response";
export const slowResponseMs = 1000;

/** EchoRequest with this message. */
export function echoRequest(message: string): Buffer {
  const field = Buffer.concat([Buffer.of(0x0a, message.length), Buffer.from(message)]);
  return Buffer.concat([Buffer.of(0, 0, 0, 0, field.length), field]);
}
