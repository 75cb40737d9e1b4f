import type { CaseName } from "./cases.ts";
import type { Certificates } from "./certificates.ts";

/** A program to run. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** The context of a run: the certificate, and a folder for temporary files. */
export interface RunSettings {
  readonly certificates: Certificates;
  readonly folder: string;
}

/** The settings of a client in a run with TLS. */
export interface Trust {
  readonly caFile: string;
  readonly serverName: string;
}

/** Another implementation of gRPC, as client and as server. */
export interface Peer {
  readonly name: string;
  /** Commands that the machine must have. */
  readonly needs: readonly string[];
  /** Downloads and builds missing parts. Throws if that fails. */
  prepare(): void;
  /** Prepares a run, for example a trust store. Default: nothing. */
  prepareRun?(settings: RunSettings): void;
  /** The client, without the common options. */
  client(settings: RunSettings): Command;
  /** The client's options for the trusted authority. */
  trustOptions(caFile: string): readonly string[];
  /** The server, without the common options. */
  server(settings: RunSettings): Command;
  /** The certificate of a server that has its own. Default: that of the run. */
  readonly serverTrust?: Trust;
  /** Whether its server cannot see if a message was compressed, so the probe is omitted. */
  readonly hidesCompression: boolean;
  /** Cases that its client or server does not support, with the reason. */
  readonly clientLacks: Partial<Record<CaseName, string>>;
  readonly serverLacks: Partial<Record<CaseName, string>>;
}
