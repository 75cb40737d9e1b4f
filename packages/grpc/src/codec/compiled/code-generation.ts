let isAllowed: boolean | undefined;

/**
 * Whether this process may make functions of strings: `node --disallow-code-generation-from-strings` and a Content Security Policy
 * forbid it, by an EvalError. Any other error is thrown.
 */
export function mayGenerateCode(): boolean {
  isAllowed ??= canGenerate();
  return isAllowed;
}

function canGenerate(): boolean {
  try {
    new Function("");
    return true;
  } catch (error) {
    if (error instanceof EvalError) return false;
    throw error;
  }
}
