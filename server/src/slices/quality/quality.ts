import type { Analytics } from '#kernel/analytics/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { conflict, DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { EventRecord, Events } from '#kernel/events/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import {
  checkDatasetName,
  type Datasets,
  type DatasetVersion,
  type VersionSummary,
  versionName,
} from '#slices/datasets'
import { digestOfChecks, mustReadChecks } from './checks.ts'
import { checksChanged, verdictOverridden, verdictReached } from './events.ts'
import type { Admission, Check, CheckResult, Override, Verdict, VerdictSummary } from './model.ts'
import * as store from './quality-store.ts'
import { verify } from './verify.ts'

const VERIFY_MS_MAX = 35 * 60_000
/** Times that a version is judged anew because its checks changed under way; the next change starts a job of its own. */
const ROUNDS_MAX = 5
const NO_CHECKS = digestOfChecks([])

export type VerdictWithOverride = Verdict & { override: Override | null }

export interface Quality {
  /**
   * States the checks of a dataset, which need not exist yet; an empty list states none. `value` is as a person wrote it, `path` where
   * it stands in their document. Another list than before judges the latest version again. Throws invalid naming every mistake in
   * facts.mistakes.
   */
  setChecks(tx: Tx, who: Who, dataset: string, value: unknown, path?: string): Promise<store.StatedChecks>
  checks(sql: Sql, workspace: string, dataset: string): Promise<store.StatedChecks>
  /** For the subscription to `datasets.version-profiled`: judges the version, at once or by a job. */
  considerVersion(tx: Tx, who: Who, event: EventRecord<DatasetVersion>): Promise<void>
  /** Judges a version again, as for freshness; its verdict is pending until then. */
  verifyAgain(tx: Tx, who: Who, version: string): Promise<DatasetVersion>
  /** A person accepts a failing version as an input, until other checks are stated. */
  override(tx: Tx, who: Who, version: string, reason: string): Promise<VerdictWithOverride>
  /** Whether a run may take the version as its input; throws not-found. */
  mayBeInput(sql: Sql, workspace: string, version: string): Promise<Admission>
  verdict(sql: Sql, workspace: string, id: string): Promise<VerdictWithOverride>
  /** The verdict that holds for a version; undefined while there is none. */
  latestVerdict(sql: Sql, workspace: string, version: string): Promise<VerdictWithOverride | undefined>
  verdicts(
    sql: Sql,
    workspace: string,
    filter: { version?: string | undefined; dataset?: string | undefined; before?: string | undefined; limit: number },
  ): Promise<VerdictSummary[]>
}

export interface QualityDeps {
  store: Pick<Store, 'read'>
  events: Pick<Events, 'record'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  analytics: Pick<Analytics, 'queries'>
  datasets: Pick<Datasets, 'version' | 'versions' | 'lend' | 'noteVerdict'>
  clock: Clock
  ids: Ids
}

const actor = ({ kind, id, name }: Who) => ({ kind, id, name })

export function createQuality({ store: door, events, jobs, analytics, datasets, clock, ids }: QualityDeps): Quality {
  const stated = async (sql: Sql, workspace: string, dataset: string): Promise<store.StatedChecks> =>
    (await store.checksOf(sql, workspace, dataset)) ?? {
      dataset,
      checks: [],
      digest: NO_CHECKS,
      who: { kind: '', id: '', name: '' },
      set_ms: 0,
    }

  const subjectOf = (version: VersionSummary) => ({ kind: 'dataset-version', id: version.id }) as const

  const verifyLater = (tx: Tx, who: Who, version: VersionSummary) =>
    jobs.enqueue(tx, {
      kind: 'quality.verify',
      workspace: version.workspace,
      input: { version: version.id },
      who,
      subject: subjectOf(version),
      key: `quality.verify:${version.id}`,
    })

  /** Stores what was found. Answers false when other checks are stated by now: what was found is of no use then. */
  const conclude = async (
    tx: Tx,
    who: Who,
    id: string,
    found: { digest: string; results: CheckResult[]; note: string | null; passed?: boolean },
  ): Promise<boolean> => {
    const version = await datasets.version(tx, who.workspace, id).catch(absent)
    // Deleted meanwhile, or being read again: then it will be judged again.
    if (version === undefined || version.state === 'pending') return true
    await lockChecks(tx, who.workspace, version.name)
    if ((await stated(tx, who.workspace, version.name)).digest !== found.digest) return false
    const verdict = verdictOf(version, found)
    await store.insertVerdict(tx, verdict)
    const none = verdict.state === 'passed' && verdict.counts.checks === 0
    await datasets.noteVerdict(tx, who.workspace, id, none ? 'none' : verdict.state)
    const { results, ...summary } = verdict
    const failed_checks = results
      .filter(isFailure)
      .slice(0, 20)
      .map(({ name }) => name)
    await events.record(tx, verdictReached, {
      who,
      subject: subjectOf(version),
      after: { ...summary, passed: verdict.state === 'passed', failed_checks },
      edges: [{ from: subjectOf(version), to: { kind: 'verdict', id: verdict.id }, relation: 'gated-by' }],
    })
    return true
  }

  const verdictOf = (
    version: DatasetVersion,
    {
      digest,
      results,
      note,
      passed,
    }: { digest: string; results: CheckResult[]; note: string | null; passed?: boolean },
  ): Verdict => {
    const failed = results.filter(isFailure).length
    return {
      id: ids.next('verdict'),
      workspace: version.workspace,
      version: version.id,
      dataset: version.name,
      number: version.number,
      state: (passed ?? failed === 0) ? 'passed' : 'failed',
      note,
      checks_digest: digest,
      counts: {
        checks: results.length,
        passed: results.filter((result) => result.passed).length,
        failed,
        warned: results.filter((result) => !result.passed && result.severity === 'warn').length,
      },
      results,
      created_ms: clock.now(),
    }
  }

  const lockChecks = (tx: Tx, workspace: string, dataset: string) => tx.lock('quality', workspace, dataset)

  /** Judges without reading where that needs no data, else by a job. */
  const judge = async (tx: Tx, who: Who, version: VersionSummary): Promise<void> => {
    const { checks, digest } = await stated(tx, who.workspace, version.name)
    if (version.state === 'failed')
      await conclude(tx, who, version.id, { digest, results: [], note: version.failure, passed: false })
    else if (checks.length === 0) await conclude(tx, who, version.id, { digest, results: [], note: 'no checks' })
    else {
      await datasets.noteVerdict(tx, who.workspace, version.id, 'pending')
      await verifyLater(tx, who, version)
    }
  }

  jobs.define<{ version: string }, { state: string }>({
    kind: 'quality.verify',
    timeout_ms: VERIFY_MS_MAX,
    concurrency: 1,
    async run(job, context) {
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        const now = await door.read(async (sql) => {
          const version = await datasets.version(sql, job.workspace, job.input.version).catch(absent)
          return version && { version, ...(await stated(sql, job.workspace, version.name)) }
        })
        if (now?.version.state !== 'ready') return { state: now?.version.state ?? 'deleted' }
        const results = await verify({ analytics, datasets }, now.version, now.checks, clock.now(), context.signal)
        const note = results.length === 0 ? 'no checks' : null
        const done = await context.write((tx) =>
          conclude(tx, job.who, now.version.id, { digest: now.digest, results, note }),
        )
        if (done) return { state: results.some(isFailure) ? 'failed' : 'passed' }
      }
      throw new DomainError('unavailable', 'the checks of the dataset change faster than they can be made')
    },
    async onGivenUp(tx, job) {
      const version = await datasets.version(tx, job.workspace, job.input.version).catch(absent)
      if (version === undefined) return
      const { digest } = await stated(tx, job.workspace, version.name)
      const note = `the checks could not be made: ${job.error?.message ?? 'the job was cancelled'}`
      await conclude(tx, job.who, version.id, { digest, results: [], note, passed: false })
    },
  })

  const withOverride = async (sql: Sql, verdict: Verdict): Promise<VerdictWithOverride> => ({
    ...verdict,
    override:
      verdict.state === 'passed'
        ? null
        : ((await store.overrideOf(sql, verdict.workspace, verdict.version, verdict.checks_digest)) ?? null),
  })

  const latestVerdict = async (
    sql: Sql,
    workspace: string,
    version: string,
  ): Promise<VerdictWithOverride | undefined> => {
    const [newest] = await store.listVerdicts(sql, workspace, { version, limit: 1 })
    const verdict = newest === undefined ? undefined : await store.verdictById(sql, workspace, newest.id)
    return verdict === undefined ? undefined : withOverride(sql, verdict)
  }

  return {
    async setChecks(tx, who, dataset, value, path = 'checks') {
      checkDatasetName(dataset, 'dataset')
      const checks: Check[] = mustReadChecks(value, path)
      const digest = digestOfChecks(checks)
      await lockChecks(tx, who.workspace, dataset)
      const before = await stated(tx, who.workspace, dataset)
      if (before.digest === digest) return before
      const after: store.StatedChecks = { dataset, checks, digest, who: actor(who), set_ms: clock.now() }
      await store.putChecks(tx, who.workspace, after)
      await events.record(tx, checksChanged, {
        who,
        subject: { kind: 'dataset', id: dataset },
        before: { dataset, checks: before.checks, digest: before.digest },
        after: { dataset, checks, digest },
      })
      const [latest] = await datasets.versions(tx, who.workspace, dataset, { limit: 1 })
      if (latest !== undefined && latest.state !== 'pending') await judge(tx, who, latest)
      return after
    },

    checks: stated,

    async considerVersion(tx, who, event) {
      const version = await datasets.version(tx, who.workspace, event.after.id).catch(absent)
      if (version !== undefined && version.state !== 'pending') await judge(tx, who, version)
    },

    async verifyAgain(tx, who, id) {
      const version = await datasets.version(tx, who.workspace, id)
      if (version.state === 'pending')
        throw conflict(`${versionName(version)} is still being read`, { remedy: 'It is judged when that is done.' })
      await judge(tx, who, version)
      return datasets.version(tx, who.workspace, id)
    },

    async override(tx, who, id, reason) {
      if (who.kind === 'rule' || who.kind === 'run')
        throw new DomainError('forbidden', 'only a person may accept data that fail their checks', {
          remedy: 'Ask somebody to look at the failing rows.',
        })
      const why = reason.trim()
      if (why === '' || why.length > 1000)
        throw invalid('a failing version is accepted for a reason of 1 to 1000 characters', {
          field: 'reason',
          remedy: 'Say why these data are fit to be used.',
        })
      const version = await datasets.version(tx, who.workspace, id)
      await lockChecks(tx, who.workspace, version.name)
      if (version.state !== 'ready')
        throw conflict(`${versionName(version)} is ${version.state}: there is nothing to accept`, {
          remedy: version.failure ?? 'Wait until it is read.',
        })
      const verdict = await latestVerdict(tx, who.workspace, id)
      if (version.verdict !== 'failed' || verdict === undefined)
        throw conflict(`${versionName(version)} has not failed its checks`, {
          remedy: `Its verdict is ${version.verdict}.`,
        })
      const override: Override = { reason: why, who: actor(who), at_ms: clock.now() }
      await store.putOverride(tx, who.workspace, id, verdict.checks_digest, override)
      await events.record(tx, verdictOverridden, {
        who,
        subject: subjectOf(version),
        after: { verdict: verdict.id, dataset: version.name, number: version.number, override },
        reason: why,
      })
      return { ...verdict, override }
    },

    async mayBeInput(sql, workspace, id) {
      const version = await datasets.version(sql, workspace, id)
      const name = versionName(version)
      const answer = (may: boolean, pending: boolean, reason: string | null): Admission => ({ may, pending, reason })
      if (version.state === 'pending') return answer(false, true, `${name} is being read`)
      if (version.state === 'failed') return answer(false, false, `${name} cannot be read: ${version.failure}`)
      if (version.verdict === 'pending') return answer(false, true, `${name} is being checked`)
      if (version.verdict !== 'failed') return answer(true, false, null)
      const verdict = await latestVerdict(sql, workspace, id)
      if (verdict?.override)
        return answer(true, false, `accepted by ${verdict.override.who.name}: ${verdict.override.reason}`)
      return answer(false, false, `${name} failed ${whatFailed(verdict)}`)
    },

    async verdict(sql, workspace, id) {
      const verdict = await store.verdictById(sql, workspace, id)
      if (verdict === undefined) throw notFound(`there is no verdict ${id.slice(0, 100)}`)
      return withOverride(sql, verdict)
    },

    latestVerdict,
    verdicts: (sql, workspace, filter) => store.listVerdicts(sql, workspace, filter),
  }
}

const isFailure = (result: CheckResult): boolean => !result.passed && result.severity === 'error'

function whatFailed(verdict: Verdict | undefined): string {
  const failed = verdict?.results.filter(isFailure) ?? []
  if (failed.length === 0) return `its checks${verdict?.note ? `: ${verdict.note}` : ''}`
  const named = failed.slice(0, 3).map(({ name, observed, error }) => `${name} (${error ?? observed})`)
  return `${failed.length} of ${verdict!.counts.checks} checks: ${named.join('; ')}${failed.length > 3 ? '; …' : ''}`
}

function absent(error: unknown): undefined {
  if (error instanceof DomainError && error.problem === 'not-found') return undefined
  throw error
}
