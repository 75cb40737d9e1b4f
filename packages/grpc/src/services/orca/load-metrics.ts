import { create } from "@bufbuild/protobuf";
import { type OrcaLoadReport, OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";

/**
 * The metrics of a server's load. Shares are numbers from 0 to 1. A value that is out of its range or not a finite number is
 * left out of reports, as everywhere in gRPC: a wrong metric must not cost a call.
 */
export interface LoadMetrics {
  /** Share of the processor in use; more than 1 for a server that has more than it was given. */
  readonly cpuUtilization?: number | undefined;
  /** Share of the memory in use. */
  readonly memUtilization?: number | undefined;
  /** The load as the application sees it, in place of the processor's; may be more than 1. */
  readonly applicationUtilization?: number | undefined;
  /** Requests per second. */
  readonly rpsFractional?: number | undefined;
  /** Requests per second that failed. */
  readonly eps?: number | undefined;
  /** Shares of other resources in use, by name. */
  readonly utilization?: Readonly<Record<string, number>> | undefined;
  /** What one call has cost, by name; of calls only. */
  readonly requestCost?: Readonly<Record<string, number>> | undefined;
  /** Anything else, by name. */
  readonly namedMetrics?: Readonly<Record<string, number>> | undefined;
}

/** `over` laid over `base`: its numbers win, and its names are added to those of `base`. */
export function overlaid(base: LoadMetrics, over: LoadMetrics): LoadMetrics {
  return {
    ...base,
    ...over,
    utilization: { ...base.utilization, ...over.utilization },
    requestCost: { ...base.requestCost, ...over.requestCost },
    namedMetrics: { ...base.namedMetrics, ...over.namedMetrics },
  };
}

export function toReport(metrics: LoadMetrics): OrcaLoadReport {
  return create(OrcaLoadReportSchema, {
    cpuUtilization: orNothing(metrics.cpuUtilization, isAmount),
    memUtilization: orNothing(metrics.memUtilization, isShare),
    applicationUtilization: orNothing(metrics.applicationUtilization, isAmount),
    rpsFractional: orNothing(metrics.rpsFractional, isAmount),
    eps: orNothing(metrics.eps, isAmount),
    utilization: only(metrics.utilization, isShare),
    requestCost: only(metrics.requestCost, Number.isFinite),
    namedMetrics: only(metrics.namedMetrics, Number.isFinite),
  });
}

/** On the wire 0 is the same as nothing. */
function orNothing(value: number | undefined, isValid: (value: number) => boolean): number {
  return value !== undefined && isValid(value) ? value : 0;
}

function only(
  values: Readonly<Record<string, number>> | undefined,
  isValid: (value: number) => boolean,
): Record<string, number> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => isValid(value)));
}

function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}
