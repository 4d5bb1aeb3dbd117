import type { Sql, Tx } from '#kernel/store/index.ts'
import { refuseIfHeld } from '../held.ts'
import { allIn } from '../lists.ts'
import { batchReader } from '../metrics/batches.ts'
import { lockSealing } from '../metrics/copy.ts'
import { bounded } from '../metrics/forms.ts'
import { scanPoints } from '../metrics/scan.ts'
import { noteEnded } from '../metrics/unsealed.ts'
import { writePoints } from '../metrics/write.ts'
import { type Integer, isEnded } from '../model.ts'
import { mustFindRunState } from '../run-rows.ts'
import type { ImportedPoints } from './model.ts'

export interface ImportPoints {
  workspace: string
  parts: ImportedPoints[]
}

/** Takes in the points that are not there yet, into deleted runs too. Answers how many were new. */
export async function importPoints(tx: Tx, { workspace, parts }: ImportPoints): Promise<{ added: number }> {
  let added = 0
  for (const part of parts) {
    // On PostgreSQL the points are read by several statements, and two importers of a run follow one another.
    await tx.lock('import-run', workspace, part.run_id)
    const run = await mustFindRunState(tx, workspace, part.run_id)
    const some = await newOnes(tx, run.run_key, part)
    if (some.value.length === 0) continue
    if (isEnded(run.status)) await refuseIfHeld(tx, workspace, 'run', run.run_id)
    await writePoints(tx, run.run_key, some)
    if (isEnded(run.status)) noteEnded(run.run_key)
    added += some.value.length
  }
  return { added }
}

const nameOf = (step: Integer, at_ms: Integer, value: number) => `${step} ${at_ms} ${value}`

/** Without those that the run has, and each once. */
async function newOnes(tx: Tx, run_key: number, part: ImportedPoints): Promise<ImportedPoints> {
  const series = new Map(
    (
      await allIn<{ key: string; series: Integer }>(
        tx,
        'SELECT key, series FROM run_metric WHERE run_key = ? AND key IN',
        [run_key],
        part.keys,
      )
    ).map((row) => [row.key, row.series]),
  )
  if (series.size > 0) await lockSealing(tx)
  const ranges = part.keys.map((): [Integer, Integer] | undefined => undefined)
  // Points of a key whose steps rise are all different: the usual case, and the one with very many of them.
  let rises = true
  for (let at = 0; at < part.value.length; at++) {
    const step = part.step[at]!
    const range = ranges[part.key[at]!]
    if (!range) ranges[part.key[at]!] = [step, step]
    else if (step > range[1]) range[1] = step
    else {
      rises = false
      if (step < range[0]) range[0] = step
    }
  }
  if (rises && series.size === 0) return part
  const seen = part.keys.map(() => new Set<string>())
  const batches = batchReader(tx as Sql)
  for (const [of, key] of part.keys.entries()) {
    const found = series.get(key)
    const range = ranges[of]
    if (found === undefined || !range) continue
    for await (const some of scanPoints(tx, found, { order: 'step', from: range[0], to: range[1] }, batches))
      for (let at = 0; at < some.value.length; at++)
        seen[of]!.add(nameOf(some.step[at]!, some.at_ms[at]!, some.value[at]!))
  }
  const out: ImportedPoints = { ...part, key: [], step: [], at_ms: [], value: [] }
  const used = new Map<number, number>()
  const keys: string[] = []
  for (let at = 0; at < part.value.length; at++) {
    const of = part.key[at]!
    const name = nameOf(part.step[at]!, part.at_ms[at]!, bounded(part.value[at]!))
    if (seen[of]!.has(name)) continue
    seen[of]!.add(name)
    let index = used.get(of)
    if (index === undefined) {
      index = keys.length
      used.set(of, index)
      keys.push(part.keys[of]!)
    }
    out.key.push(index)
    out.step.push(part.step[at]!)
    out.at_ms.push(part.at_ms[at]!)
    out.value.push(part.value[at]!)
  }
  return { ...out, keys }
}
