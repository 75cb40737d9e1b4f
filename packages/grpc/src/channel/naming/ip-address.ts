/** Whether the text is an IPv4 address in four decimal parts without leading zeros (some readers take those for octal). */
export function isIpv4(text: string): boolean {
  if (text.length > 15) return false;
  const parts = text.split(".");
  return parts.length === 4 && parts.every(isDecimalByte);
}

/** Whether the text is an IPv6 address (RFC 4291 §2.2), without brackets, perhaps with a zone such as `%eth0` (RFC 4007 §11). */
export function isIpv6(text: string): boolean {
  const percent = text.indexOf("%");
  if (percent !== -1) return percent < text.length - 1 && isIpv6(text.slice(0, percent));
  // Eight groups of four digits, the last two perhaps as an IPv4 address.
  if (text.length > 45) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groupCount = 0;
  for (const [index, half] of halves.entries()) {
    const isLastHalf = index === halves.length - 1;
    const count = half === "" && halves.length === 2 ? 0 : countGroups(half, isLastHalf);
    if (count === undefined) return false;
    groupCount += count;
  }
  // "::" replaces one group of zeros or more.
  return halves.length === 2 ? groupCount < 8 : groupCount === 8;
}

/** The 16-bit groups of a half; undefined when one is malformed. */
function countGroups(half: string, mayEndInIpv4: boolean): number | undefined {
  const groups = half.split(":");
  const last = groups.at(-1) ?? "";
  const endsInIpv4 = mayEndInIpv4 && isIpv4(last);
  if (endsInIpv4) groups.pop();
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.length + (endsInIpv4 ? 2 : 0);
}

function isDecimalByte(part: string): boolean {
  return /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255;
}
