/** What a coordinator's metrics page says. */
export interface MetricsPage {
  /** 0 for a series that is not there. */
  value(series: string): number;
}

/** Workers that take part, of a coordinator's page. */
export function activeWorkers(page: MetricsPage): number {
  return page.value(`ostinato_coordinator_workers{state="active"}`);
}

export async function readMetricsPage(url: string): Promise<MetricsPage> {
  const response = await fetch(url);
  const values = new Map<string, number>();
  for (const line of (await response.text()).split("\n")) {
    if (line.startsWith("#")) continue;
    const end = line.lastIndexOf(" ");
    if (end > 0) values.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return { value: (series) => values.get(series) ?? 0 };
}
