/** What of MLflow's API is not here: for whom it is written down that somebody asked. */
interface Family {
  path: RegExp
  /** How the whole family is called in counts: ids would make them endless. */
  endpoint: string
  note: string
}

const family = (path: string, endpoint: string, note: string): Family => ({
  path: new RegExp(`^/(?:ajax-)?api/[23]\\.0/mlflow/(?:${path})(?:[/:?]|$)`),
  endpoint: `/api/…/mlflow/${endpoint}`,
  note,
})

const FAMILIES: readonly Family[] = [
  family('traces', 'traces', 'Traces and assessments are not kept; the client goes on without them.'),
  family('unified-traces|get-online-trace-details|get-trace-artifact', 'traces', 'Traces are not kept.'),
  family('datasets', 'datasets', 'Evaluation datasets are not kept; dataset inputs of runs are.'),
  family('scorers', 'scorers', 'Scorers are not kept on the server.'),
  family('issues', 'issues', 'Issues of traces are not kept.'),
  family('label-schemas|review-queues', 'review-queues', 'Review of traces is not there.'),
  family('prompt-optimization', 'prompt-optimization', 'Prompts are not optimised on the server.'),
  family('gateway(?:-proxy)?', 'gateway', 'There is no gateway to language models.'),
  family('ui-telemetry|demo|assistant|runs/create-promptlab-run', 'pages', "Only MLflow's own pages ask for it."),
  {
    path: /^\/(?:ajax-)?api\/3\.0\/jobs(?:[/?]|$)/,
    endpoint: '/api/3.0/jobs',
    note: "MLflow's own jobs are not there.",
  },
  { path: /^\/v1\/traces(?:[/?]|$)/, endpoint: '/v1/traces', note: 'Spans are not taken; the client goes on without.' },
  { path: /^\/graphql(?:[/?]|$)/, endpoint: '/graphql', note: "Only MLflow's own pages ask for it." },
  { path: /^\/gateway(?:[/?]|$)/, endpoint: '/gateway', note: 'There is no gateway to language models.' },
]

const OTHER = { endpoint: 'another path', note: 'No endpoint of MLflow 3.17 that is known here.' }

/** The family of a path that nothing answers. */
export const absentFamily = (url: string): Pick<Family, 'endpoint' | 'note'> =>
  FAMILIES.find(({ path }) => path.test(url)) ?? OTHER

const NOTES = new Map([...FAMILIES, OTHER].reverse().map(({ endpoint, note }) => [endpoint, note]))

/** Why an endpoint is not supported; undefined for those that are there and refused a part. */
export const noteOn = (endpoint: string): string | undefined => NOTES.get(endpoint)
