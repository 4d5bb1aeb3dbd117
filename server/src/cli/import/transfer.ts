/** Takes a source in: what is new, each thing once, however often it is run and wherever it was cut off. */
import type { Client } from '../client.ts'
import { isElsewhere } from './artifacts.ts'
import { readMarks, writeMarks } from './marks.ts'
import type { Source, SourceExperiment } from './model.ts'
import { patient } from './patience.ts'
import type { Report, Row } from './report.ts'
import { bringModels, bringRegistered } from './transfer-models.ts'
import { bringRuns } from './transfer-runs.ts'
import { filesOf, type Transfer, type TransferOptions, WHATS, type What } from './transfer-state.ts'

const MARKS_AT_ONCE = 200
const LINES_MAX = 10_000

export async function transfer(server: Client, source: Source, options: TransferOptions): Promise<Report> {
  const client = patient(server)
  const started = Date.now()
  const rows = new Map<What, Row>(WHATS.map((what) => [what, { what, source: 0, here: 0, added: 0 }]))
  const report: Report = {
    source: source.words,
    rows: [...rows.values()],
    wrong: [],
    notes: [],
    unchanged_runs: 0,
    dry_run: options.dry_run,
    seconds: 0,
  }
  const notes = new Set<string>()
  let waiting: { item: string; mark: string }[] = []
  const flush = async () => {
    if (waiting.length === 0 || options.dry_run) return
    const marks = waiting
    waiting = []
    await writeMarks(client, source.id, marks)
  }
  const it: Transfer = {
    client,
    source,
    options,
    marks: await readMarks(client, source.id, ''),
    report,
    count: (what, part, by) => {
      rows.get(what)![part] += by
    },
    async mark(item, mark) {
      const text = JSON.stringify(mark)
      it.marks.set(item, text)
      waiting.push({ item, mark: text })
      if (waiting.length >= MARKS_AT_ONCE) await flush()
    },
    flush,
    wrong: (line) => {
      if (report.wrong.length < LINES_MAX) report.wrong.push(line)
    },
    note: (line) => {
      if (notes.size < LINES_MAX) notes.add(line)
    },
  }
  const experiments = chosen(await source.experiments(), options.experiments, it)
  const roots = new Map<string, string>()
  for (const experiment of experiments) await bringExperiment(it, experiment, roots)
  // A part of the experiments is a part of the history; the registry stands on all of it.
  if (options.experiments.length === 0) await bringRegistered(it, roots)
  else it.note('the registry is taken in with all experiments only')
  await flush()
  for (const note of source.notes) it.note(note)
  report.notes = [...notes]
  report.seconds = (Date.now() - started) / 1000
  return report
}

function chosen(all: SourceExperiment[], wanted: readonly string[], it: Transfer): SourceExperiment[] {
  if (wanted.length === 0) return all
  for (const each of wanted)
    if (!all.some(({ id, name }) => id === each || name === each)) it.wrong(`the source has no experiment '${each}'`)
  return all.filter(({ id, name }) => wanted.includes(id) || wanted.includes(name))
}

/** `roots` gets what each artifact root of the source has become here. */
async function bringExperiment(it: Transfer, experiment: SourceExperiment, roots: Map<string, string>): Promise<void> {
  const { client, source, options } = it
  const named = options.artifacts === 'reference' && isElsewhere(experiment.artifact_location)
  it.count('experiments', 'source', 1)
  if (options.dry_run) return await lookAt(it, experiment)
  const known = it.marks.get(`experiment/${experiment.id}`)
  const taken = await client.put<{ experiment_id: string; merged: boolean; artifact_location: string }>(
    '/api/slipway/v1/imports/experiments',
    {
      source: source.id,
      source_id: experiment.id,
      name: experiment.name,
      lifecycle: experiment.lifecycle,
      created_ms: experiment.created_ms,
      updated_ms: experiment.updated_ms,
      tags: experiment.tags,
      ...(named && { artifact_location: experiment.artifact_location }),
    },
  )
  it.count('experiments', 'here', 1)
  if (known === undefined) it.count('experiments', 'added', taken.merged ? 0 : 1)
  if (taken.merged && known === undefined && experiment.id !== '0')
    it.note(`experiment '${experiment.name}' was here before: its runs are beside those that it had`)
  const target = { ...taken, source: experiment }
  for await (const page of source.runs(experiment)) {
    await bringRuns(it, target, page, roots)
    options.progress.update(progressOf(it))
  }
  await bringModels(it, target, roots)
}

export const progressOf = ({ report }: Transfer): string =>
  report.rows
    .filter(({ what, source }) => source > 0 && ['runs', 'metric points', 'artifact bytes'].includes(what))
    .map(({ what, here }) => `${here.toLocaleString('en')} ${what}`)
    .join(', ')

async function lookAt(it: Transfer, experiment: SourceExperiment): Promise<void> {
  for await (const page of it.source.runs(experiment)) {
    for (const run of page) {
      it.count('runs', 'source', 1)
      it.count('params', 'source', run.params.length)
      it.count('tags', 'source', run.tags.length)
      it.count('metric points', 'source', run.points)
      const files = await filesOf(it, run)
      it.count('artifact files', 'source', files?.length ?? 0)
      it.count('artifact bytes', 'source', files?.reduce((sum, file) => sum + file.size_bytes, 0) ?? 0)
    }
  }
  for await (const page of it.source.models(experiment)) it.count('logged models', 'source', page.length)
}
