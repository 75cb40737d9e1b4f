let isAllowed: boolean | undefined;

/** Whether this process may make functions of strings: `node --disallow-code-generation-from-strings` forbids it. */
export function mayGenerateCode(): boolean {
  if (isAllowed === undefined) {
    try {
      new Function("");
      isAllowed = true;
    } catch {
      isAllowed = false;
    }
  }
  return isAllowed;
}
