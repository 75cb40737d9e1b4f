const reasons: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EISDIR: "it is a folder",
  ENOENT: "no such file",
};

/** Why a file cannot be read, in words where the system's code is a common one. */
export function fileErrorReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : (reasons[code] ?? code);
}
