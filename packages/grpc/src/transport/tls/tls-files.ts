import { readFileSync } from "node:fs";
import { followFiles } from "../../files/follow-files.ts";
import type { Log } from "../../logging/log.ts";
import { safeLog } from "../../logging/safe-log.ts";
import { thrownMessage } from "../../logging/thrown-text.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../../options/check-options.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { checkTlsMaterial, type TlsMaterial } from "./tls-material.ts";

export interface TlsFilesOptions {
  /** The certificate and those of the authorities between it and the root, as PEM. With `keyFile`. */
  readonly certFile?: string;
  /** Its private key as PEM, without a passphrase. With `certFile`. */
  readonly keyFile?: string;
  /** The authorities that the peer's certificate may come from, as PEM. Default: those that Node trusts. */
  readonly caFile?: string;
  /**
   * From the first sign of a change to the look at the files. Default 500 ms: certificate and key are written one after the
   * other.
   */
  readonly settleMs?: number;
  /**
   * The files are looked at this often even without a sign of a change, which network file systems do not always give.
   * Default 60,000 ms; 0 means never.
   */
  readonly pollMs?: number;
  /** Where it is logged that files were loaded or refused. Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: reports changes in a folder until the returned function is called. */
  readonly watchFolder?: (folder: string, onChange: () => void) => () => void;
}

/** Certificates that follow their files. */
export interface TlsFiles {
  /** What holds now: the newest content that was valid. */
  readonly current: TlsMaterial;
  /** Tells of each new content. What is returned ends that. */
  onChange(listener: () => void): () => void;
  /** Looks at the files now, as after `settleMs`. False when they were refused, which the log says. */
  reload(): boolean;
  /** Stops watching. The current material stays in use. */
  close(): void;
}

/** What a `tls` option may have next to what `node:tls` takes. */
export interface TlsFilesOption {
  /** Certificate, key and authorities come from files that may change: `watchTlsFiles` makes this. */
  readonly files?: TlsFiles;
}

const defaultSettleMs = 500;
const defaultPollMs = 60_000;

/**
 * Reads certificate files and follows them: a renewed certificate holds for the connections that come, on every server and
 * channel whose `tls` has these `files`. Renaming over a file, swapping a symlink as Kubernetes does, and writing in place
 * are all noticed. Files that do not fit together are refused with an error in the log, and the old ones stay in force.
 *
 * @throws Error that names the file when they cannot be used at the start; TypeError or RangeError for wrong options
 */
export function watchTlsFiles(options: TlsFilesOptions): TlsFiles {
  checkOptions(options);
  const { certFile, keyFile, caFile, settleMs = defaultSettleMs, pollMs = defaultPollMs } = options;
  const names = {
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
    ...(caFile !== undefined && { caFile }),
  };
  const log = safeLog(options.log);
  const clock = options.clock ?? systemClock;
  const listeners = new Set<() => void>();
  /** The last failure to read the files, so that a lasting failure is logged once. */
  let toldProblem: string | undefined;

  let current = read();
  tellValidity(current);

  function read(): TlsMaterial {
    return {
      ...(certFile !== undefined && { cert: readFile("certFile", certFile) }),
      ...(keyFile !== undefined && { key: readFile("keyFile", keyFile) }),
      ...(caFile !== undefined && { ca: readFile("caFile", caFile) }),
    };
  }

  /** Throws when the material is none. */
  function tellValidity(material: TlsMaterial): void {
    const { validFrom, validTo } = checkTlsMaterial(material, names);
    const nowMs = Date.now();
    if (validTo !== undefined && validTo.getTime() < nowMs) {
      log.warn("the certificate has expired", { certFile, validTo: validTo.toISOString() });
    } else if (validFrom !== undefined && validFrom.getTime() > nowMs) {
      log.warn("the certificate is not valid yet", { certFile, validFrom: validFrom.toISOString() });
    } else {
      log.info("TLS files were read", { ...names, validTo: validTo?.toISOString() });
    }
  }

  function reload(): boolean {
    try {
      const found = read();
      if (!isSame(found, current)) {
        tellValidity(found);
        current = found;
        for (const listener of [...listeners]) listener();
      }
      toldProblem = undefined;
      return true;
    } catch (error) {
      const problem = thrownMessage(error);
      if (problem !== toldProblem) log.error("changed TLS files are refused; the old ones stay in force", { problem });
      toldProblem = problem;
      return false;
    }
  }

  const followed = followFiles({
    files: () => Object.values(names),
    onLook: reload,
    settleMs,
    pollMs,
    noun: "TLS files",
    log,
    clock,
    ...(options.watchFolder !== undefined && { watchFolder: options.watchFolder }),
  });

  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reload,
    close() {
      followed.close();
      listeners.clear();
    },
  };
}

/** @throws Error that names the option and the file, with the system's error as its cause */
function readFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`${option} ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  const isEqual = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
    one === undefined || other === undefined ? one === other : one.equals(other);
  return isEqual(a.cert, b.cert) && isEqual(a.key, b.key) && isEqual(a.ca, b.ca);
}

const optionNames: readonly (keyof TlsFilesOptions)[] = [
  "certFile",
  "keyFile",
  "caFile",
  "settleMs",
  "pollMs",
  "log",
  "clock",
  "watchFolder",
];

function checkOptions(options: TlsFilesOptions): void {
  const where = "watchTlsFiles";
  refuseUnknownOptions(where, options, optionNames);
  checkWholeNumber(where, "settleMs", options.settleMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "pollMs", options.pollMs, 0, Number.MAX_SAFE_INTEGER);
  const { certFile, keyFile, caFile } = options;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new TypeError(`${where}: certFile and keyFile have to be given together`);
  }
  if (certFile === undefined && caFile === undefined) {
    throw new TypeError(`${where}: give certFile and keyFile, or caFile, or all three`);
  }
}

/** Options for `node:tls` with what the files hold at this moment. */
export function withFiles<Options extends object>(tls: Options & TlsFilesOption): Omit<Options, "files"> & TlsMaterial {
  const { files, ...rest } = tls;
  return { ...rest, ...files?.current };
}
