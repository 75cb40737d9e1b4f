const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const months = ["January", "February", "March", "April", "May", "June"].concat([
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
]);

/** Says a cron expression in words, such as `at 02:30 on Monday and Friday`. The expression has been checked. */
export function cronWords(expression: string): string {
  const [minute = "*", hour = "*", day = "*", month = "*", weekday = "*"] = expression.trim().split(/\s+/);
  const dayWords = day === "*" ? "" : `on day ${listOf(day, String)} of the month`;
  const weekdayWords = weekday === "*" ? "" : `on ${listOf(weekday, (one) => nameOf(weekdays, one, 0))}`;
  const when = [dayWords, weekdayWords].filter((part) => part !== "").join(" and ");
  const inMonths = month === "*" ? "" : `in ${listOf(month, (one) => nameOf(months, one, 1))}`;
  const isDaily = when === "" && isNumbers(minute) && isNumbers(hour);
  return [isDaily ? "every day" : "", timeWords(minute, hour), when, inMonths].filter((part) => part !== "").join(" ");
}

function timeWords(minute: string, hour: string): string {
  if (isNumbers(minute) && isNumbers(hour)) {
    const times = hour.split(",").flatMap((h) => minute.split(",").map((m) => `${pad(h)}:${pad(m)}`));
    return `at ${joined(times)}`;
  }
  const minutes =
    minute === "*"
      ? "every minute"
      : isNumbers(minute)
        ? `at minute ${joined(minute.split(","))}`
        : partWords(minute, "minute");
  if (hour === "*") return isNumbers(minute) ? `${minutes} of every hour` : minutes;
  return `${minutes} ${isNumbers(hour) ? `in hour ${joined(hour.split(","))}` : partWords(hour, "hour")}`;
}

function partWords(part: string, noun: string): string {
  const [range = "*", step] = part.split("/");
  const within = range === "*" ? "" : ` in ${noun}s ${range.replace("-", " to ")}`;
  return step === undefined ? within.trim() : `every ${step} ${noun}s${within}`;
}

function listOf(part: string, toWord: (one: string) => string): string {
  return joined(
    part.split(",").map((one) => {
      const [range = "", step] = one.split("/");
      const words = range.split("-").map(toWord).join(" to ");
      return step === undefined ? words : `every ${step} from ${words}`;
    }),
  );
}

function nameOf(names: readonly string[], text: string, first: number): string {
  if (/^\d+$/.test(text)) return names[Number(text) - first] ?? text;
  return names.find((name) => name.slice(0, 3).toUpperCase() === text.toUpperCase()) ?? text;
}

function isNumbers(part: string): boolean {
  return /^\d+(?:,\d+)*$/.test(part);
}

function pad(text: string): string {
  return text.padStart(2, "0");
}

function joined(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? "";
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
