/** RFC 9113 §3.4: what a client's connection opens with. */
export const clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
