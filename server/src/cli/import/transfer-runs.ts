import { type PointSet, pairsDigest, pointDigest } from '#kernel/point-set.ts'
import type { Client } from '../client.ts'
import { filesPrint, isElsewhere, type LocalFile, sendFiles } from './artifacts.ts'
import type { Pair, SourceRun } from './model.ts'
import { filesOf, placeOf, printOf, type RunMark, type Target, type Transfer } from './transfer-state.ts'

const API = '/api/slipway/v1/imports'
const BODY_CHARS_MAX = 8_000_000
const POINTS_AT_ONCE = 10_000
/** Compared by one request. */
const POINTS_COMPARED = 300_000

interface Work {
  run: SourceRun
  files: LocalFile[] | undefined
  print: string
  before: RunMark | undefined
  /** Its artifact root here. */
  root: string
  metrics: Map<string, { count: number; digest: string }>
  points: number
  wrong: boolean
}

interface State {
  run_id: string
  params: { count: number; digest: string }
  tags: { count: number; digest: string }
  inputs: number
  models: number
  metrics: { key: string; count: number; digest: string }[]
}

/** Takes a page of runs in, with their points and files, and compares them then. */
export async function bringRuns(
  it: Transfer,
  target: Target,
  runs: readonly SourceRun[],
  roots: Map<string, string>,
): Promise<void> {
  const changed: Work[] = []
  for (const run of runs) {
    const work = await look(it, target, run)
    roots.set(placeOf(run.artifact_uri, it.options.places), work.root)
    it.count('runs', 'source', 1)
    it.count('params', 'source', run.params.length)
    it.count('tags', 'source', run.tags.length)
    if (work.before?.print !== work.print) {
      changed.push(work)
      continue
    }
    it.report.unchanged_runs++
    for (const [what, by] of [
      ['metric points', work.before.points],
      ['artifact files', work.before.files],
      ['artifact bytes', work.before.bytes],
    ] as const) {
      it.count(what, 'source', by)
      it.count(what, 'here', by)
    }
    it.count('runs', 'here', 1)
    it.count('params', 'here', run.params.length)
    it.count('tags', 'here', run.tags.length)
  }
  if (changed.length === 0) return
  const created = await putRuns(it, target, changed)
  it.count('runs', 'added', created.size)
  await bringPoints(it, changed, created)
  for (const work of changed) await bringFiles(it, work)
  await compare(it, changed, created)
}

async function look(it: Transfer, target: Target, run: SourceRun): Promise<Work> {
  const { source, options } = it
  const files = isElsewhere(run.artifact_uri) ? undefined : await filesOf(it, run)
  const usual = `${target.artifact_location.replace(/\/+$/, '')}/${run.run_id}/artifacts`
  const proxied = usual.startsWith('mlflow-artifacts:')
  const root = isElsewhere(run.artifact_uri)
    ? run.artifact_uri
    : proxied
      ? usual
      : `mlflow-artifacts:/${target.experiment_id}/${run.run_id}/artifacts`
  if (isElsewhere(run.artifact_uri) && options.artifacts === 'copy')
    it.note(`artifacts at ${run.artifact_uri.split('/').slice(0, 3).join('/')} stay there: runs name them as before`)
  if (files === undefined && !isElsewhere(run.artifact_uri) && run.artifact_uri !== '')
    it.wrong(
      /^mlflow-artifacts:/.test(run.artifact_uri)
        ? `run ${run.run_id}: its artifacts are kept by the server of ${source.words}; name their folder with --artifact-root`
        : `run ${run.run_id}: its artifacts at ${run.artifact_uri} cannot be read from here`,
    )
  const { points: _, ...told } = run
  const print = printOf([told, files && filesPrint(files)])
  const mark = it.marks.get(`run/${run.run_id}`)
  return {
    run,
    files,
    print,
    before: mark === undefined ? undefined : (JSON.parse(mark) as RunMark),
    root,
    metrics: new Map(),
    points: 0,
    wrong: false,
  }
}

/** Of a key that stands twice, as databases that take keys for equal may give it, the last. */
const once = (pairs: readonly Pair[]): Pair[] => [...new Map(pairs.map((pair) => [pair.key, pair])).values()]

async function putRuns(it: Transfer, target: Target, works: readonly Work[]): Promise<Set<string>> {
  const { client, source } = it
  const created = new Set<string>()
  let waiting: unknown[] = []
  let size = 0
  const send = async () => {
    if (waiting.length === 0) return
    const body = { source: source.id, experiment_id: target.experiment_id, runs: waiting }
    const reply = await client.put<{ created: string[] }>(`${API}/runs`, body)
    for (const id of reply.created) created.add(id)
    waiting = []
    size = 0
  }
  for (const { run, before, root } of works) {
    const usual = `${target.artifact_location.replace(/\/+$/, '')}/${run.run_id}/artifacts`
    const tags = once(run.tags)
    const there = new Set(tags.map(({ key }) => key))
    const { artifact_uri: _, artifact_folder: __, metrics_print: ___, points: ____, ...told } = run
    const one = {
      ...told,
      params: once(run.params),
      tags,
      gone_tags: (before?.tags ?? []).filter((key) => !there.has(key)),
      ...(before && { lifecycle_before: before.lifecycle }),
      ...(root !== usual && { artifact_uri: root }),
    }
    const chars = JSON.stringify(one).length
    if (size + chars > BODY_CHARS_MAX) await send()
    waiting.push(one)
    size += chars
  }
  await send()
  return created
}

/** Runs in groups that are compared by one request each. */
function* groups(works: readonly Work[]): Generator<Work[]> {
  let group: Work[] = []
  let points = 0
  for (const work of works) {
    const more = Math.max(work.points, work.run.points)
    if (group.length > 0 && points + more > POINTS_COMPARED) {
      yield group
      group = []
      points = 0
    }
    group.push(work)
    points += more
  }
  if (group.length > 0) yield group
}

async function states(client: Client, works: readonly Work[]): Promise<Map<string, State>> {
  const { items } = await client.post<{ items: State[] }>(`${API}/state`, {
    run_ids: works.map(({ run }) => run.run_id),
  })
  return new Map(items.map((state) => [state.run_id, state]))
}

async function bringPoints(it: Transfer, works: readonly Work[], created: ReadonlySet<string>): Promise<void> {
  const sender = pointSender(it)
  for (const group of groups(works)) {
    const known = group.filter(({ run }) => !created.has(run.run_id))
    const there = known.length === 0 ? new Map<string, State>() : await states(it.client, known)
    for (const work of group) {
      const here = new Map(there.get(work.run.run_id)?.metrics.map((metric) => [metric.key, metric]))
      for await (const { key, points } of it.source.points(work.run)) {
        const digest = pointDigest()
        digest.add(points)
        const told = { count: digest.count(), digest: digest.hex() }
        work.metrics.set(key, told)
        work.points += told.count
        it.count('metric points', 'source', told.count)
        if (told.count > 0 && here.get(key)?.digest !== told.digest) await sender.push(work.run.run_id, key, points)
      }
    }
  }
  await sender.end()
}

interface Part {
  run_id: string
  keys: string[]
  key: number[]
  step: (number | string)[]
  at_ms: (number | string)[]
  value: (number | string)[]
}

const integer = (value: number | bigint): number | string => (typeof value === 'bigint' ? String(value) : value)

/** Sends points in bounded requests; the next is put together while one is under way. */
function pointSender(it: Transfer) {
  let parts: Part[] = []
  let count = 0
  let sending: Promise<void> = Promise.resolve()
  const send = async () => {
    if (count === 0) return
    const body = { parts }
    parts = []
    count = 0
    await sending
    sending = it.client.post<{ added: number }>(`${API}/points`, body).then(({ added }) => {
      it.count('metric points', 'added', added)
    })
    // Thrown by whoever waits for it next.
    sending.catch(() => {})
  }
  return {
    async push(run_id: string, key: string, points: PointSet) {
      for (let first = 0; first < points.value.length; ) {
        let part = parts.at(-1)
        if (part?.run_id !== run_id) {
          if (parts.length === 100) await send()
          part = { run_id, keys: [], key: [], step: [], at_ms: [], value: [] }
          parts.push(part)
        }
        const end = Math.min(points.value.length, first + POINTS_AT_ONCE - count)
        const index = part.keys.push(key) - 1
        for (let at = first; at < end; at++) {
          part.key.push(index)
          part.step.push(integer(points.step[at]!))
          part.at_ms.push(integer(points.at_ms[at]!))
          part.value.push(Number.isNaN(points.value[at]!) ? 'NaN' : points.value[at]!)
        }
        count += end - first
        first = end
        if (count >= POINTS_AT_ONCE) await send()
      }
    },
    async end() {
      await send()
      await sending
    },
  }
}

async function bringFiles(it: Transfer, work: Work): Promise<void> {
  const { run, files, root } = work
  if (!files) return
  const sent = await sendFiles(it.client, root, files, (file) =>
    it.options.progress.update(`${file.path} of run ${run.run_id}`),
  )
  it.count('artifact files', 'source', sent.files)
  it.count('artifact bytes', 'source', sent.bytes)
  it.count('artifact files', 'added', sent.new_files)
  it.count('artifact bytes', 'added', sent.new_bytes)
  it.count('artifact files', 'here', sent.files - sent.wrong.length)
  if (sent.wrong.length === 0) it.count('artifact bytes', 'here', sent.bytes)
  for (const why of sent.wrong) it.wrong(`run ${run.run_id}: ${why}`)
  if (sent.wrong.length > 0) work.wrong = true
}

async function compare(it: Transfer, works: readonly Work[], created: ReadonlySet<string>): Promise<void> {
  for (const group of groups(works)) {
    const here = await states(it.client, group)
    for (const work of group) {
      const state = here.get(work.run.run_id)
      const complain = (why: string) => {
        it.wrong(`run ${work.run.run_id}: ${why}`)
        work.wrong = true
      }
      if (!state) {
        complain('it is not here')
        continue
      }
      it.count('runs', 'here', 1)
      comparePoints(it, work, state, complain)
      await comparePairs(it, work, state, created.has(work.run.run_id), complain)
      if (state.inputs < work.run.inputs.length) complain('inputs are missing')
      if (state.models < work.run.models.length) complain('links to logged models are missing')
      if (!work.wrong) await markRun(it, work)
    }
  }
}

function comparePoints(it: Transfer, work: Work, state: State, complain: (why: string) => void): void {
  const metrics = new Map(state.metrics.map((metric) => [metric.key, metric]))
  for (const [key, told] of work.metrics) {
    const found = metrics.get(key)
    it.count('metric points', 'here', Math.min(found?.count ?? 0, told.count))
    if (told.count === 0 || found?.digest === told.digest) continue
    // All that were sent are there: the door takes in what is missing, and says no otherwise.
    if (found && found.count > told.count)
      it.note(`run ${work.run.run_id}: metric '${key}' has ${found.count - told.count} more points here`)
    else complain(`metric '${key}' has ${told.count} points at the source and ${found?.count ?? 0} here, or other ones`)
  }
}

async function comparePairs(
  it: Transfer,
  work: Work,
  state: State,
  fresh: boolean,
  complain: (why: string) => void,
): Promise<void> {
  const { run } = work
  for (const what of ['params', 'tags'] as const) {
    const pairs = once(run[what])
    if (fresh) it.count(what, 'added', pairs.length)
    if (state[what].count === pairs.length && state[what].digest === pairsDigest(pairs)) {
      it.count(what, 'here', run[what].length)
      continue
    }
    const path = `/api/2.0/mlflow/runs/get?${new URLSearchParams({ run_id: run.run_id })}`
    const { run: full } = await it.client.get<{ run: { data: { params?: Pair[]; tags?: Pair[] } } }>(path)
    const values = new Map(full.data[what]?.map(({ key, value }) => [key, value]))
    const other = pairs.filter(({ key, value }) => values.get(key) !== value)
    it.count(what, 'here', pairs.length - other.length)
    if (other.length > 0) complain(`${what} differ: ${other.map(({ key }) => key).join(', ')}`)
    else it.note(`run ${run.run_id} has more ${what} here`)
  }
}

const markRun = (it: Transfer, { run, files, print, points }: Work): Promise<void> => {
  const mark: RunMark = {
    print,
    params: run.params.length,
    tags: run.tags.map(({ key }) => key),
    points,
    files: files?.length ?? 0,
    bytes: files?.reduce((sum, file) => sum + file.size_bytes, 0) ?? 0,
    lifecycle: run.lifecycle,
  }
  return it.mark(`run/${run.run_id}`, mark)
}
