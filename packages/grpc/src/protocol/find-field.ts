/** Index of the first field of this name in a flat list of names and values; -1 when it is absent. Names are in lower case. */
export function findField(fields: readonly string[], name: string): number {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return at;
  return -1;
}

/** The value of the first field of this name. */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  const at = findField(fields, name);
  return at === -1 ? undefined : fields[at + 1];
}
