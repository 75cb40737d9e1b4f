// Loaded into a process before its program. SIGUSR2 sets its clock back by an hour, like the clock of a machine. The monotonic clock
// does not change, as on a real machine.
const SystemDate = Date;
const hourMs = 3_600_000;
let shiftMs = 0;

globalThis.Date = class extends SystemDate {
  constructor(...given: ConstructorParameters<DateConstructor> | []) {
    if (given.length === 0) super(SystemDate.now() - shiftMs);
    else super(...given);
  }

  static override now(): number {
    return SystemDate.now() - shiftMs;
  }
} as DateConstructor;

process.on("SIGUSR2", () => {
  shiftMs += hourMs;
});
