import { isAbsolute, normalize } from "node:path";
import { fail } from "../../../failure/failure.ts";

/** What a destination that is a repository begins with. */
export const repositoryPrefix = "restic:";

/** Backends of restic that are not a folder of this machine. */
const remoteSchemes = ["sftp", "rest", "s3", "b2", "azure", "gs", "swift", "rclone"];
const maxCharacters = 2048;

/** Whether a destination is a repository and not a file. */
export function isRepository(destination: string): boolean {
  return destination.startsWith(repositoryPrefix);
}

/**
 * Returns a destination in its normal form, from `restic:` and the location of a repository: a folder, or what restic calls a URL, such as
 * `sftp:user@host:/srv/repository` or `rest:https://host:8000/`.
 *
 * @throws FailureError FIELD_REQUIRED, PATH_INVALID or FIELD_INVALID that names the field
 */
export function checkRepository(field: string, destination: string): string {
  const location = destination.slice(repositoryPrefix.length).replace(/^local:/, "");
  const shown = JSON.stringify(location.slice(0, 100));
  if (location === "") {
    const message = `${field} is required: pass restic: and the folder or URL of a repository`;
    fail({ reason: "FIELD_REQUIRED", field, message });
  }
  if (location.length > maxCharacters || /[\0\n\r]/.test(location)) {
    const message = `invalid ${field}: the location of a repository has at most ${maxCharacters} characters in one line`;
    fail({ reason: "PATH_INVALID", field, message });
  }
  if (isRemote(location)) {
    refusePassword(field, location);
    return repositoryPrefix + location;
  }
  if (!isAbsolute(location)) {
    const message = `invalid ${field}: ${shown} is neither an absolute path nor one of ${remoteSchemes.join(":, ")}:`;
    fail({ reason: "PATH_INVALID", field, path: location, message });
  }
  const normal = normalize(location);
  return repositoryPrefix + (normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal);
}

/** The location would be in the catalogue, in logs and in every list. */
function refusePassword(field: string, location: string): void {
  if (!/\/\/[^/@]*:[^/@]*@/.test(location)) return;
  const message = `invalid ${field}: the location has a password in it: set it in the daemon's environment (for rest: RESTIC_REST_PASSWORD)`;
  fail({ reason: "FIELD_INVALID", field, message });
}

function isRemote(location: string): boolean {
  return remoteSchemes.some((scheme) => location.startsWith(`${scheme}:`));
}

/** What restic calls the repository. */
export function locationOf(destination: string): string {
  return destination.slice(repositoryPrefix.length);
}

/** The folder of a repository on this machine, or on what is mounted here; undefined for a remote one. */
export function localFolderOf(destination: string): string | undefined {
  const location = locationOf(destination);
  return isRemote(location) ? undefined : location;
}
