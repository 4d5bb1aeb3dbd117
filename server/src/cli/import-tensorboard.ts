import { open, readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { invalid, notFound } from '#kernel/errors.ts'
import type { Client } from './client.ts'
import { EXIT } from './exit.ts'
import type { CommandAction } from './program.ts'

interface ImportOptions {
  experiment?: string
  watch: boolean
}

interface Taken {
  run_id: string
  taken_bytes: number
  points: number
  records: number
  passed_over: Record<string, number>
  damage?: string
}

interface Report {
  experiment: string
  runs: number
  files: number
  points: number
  records: number
  passed_over: Record<string, number>
  damaged: { file: string; why: string }[]
}

const API = '/api/slipway/v1/tensorboard'
/** Sent at once, and the most that is when a single record is larger. */
const PART_BYTES = 4 * 1024 ** 2
const PART_BYTES_MAX = 16 * 1024 ** 2
const LOOK_MS = 1000
const FILES_MAX = 10_000

/** Takes a log folder of TensorBoard's in, from where it stood the last time. */
export const importTensorboard: CommandAction<[string, ImportOptions]> = async (
  { cwd, client, output },
  path,
  options,
) => {
  const root = resolve(cwd, path)
  const facts = await stat(root).catch(() => undefined)
  if (!facts?.isDirectory()) throw notFound(`there is no folder ${root}`)
  const experiment = options.experiment ?? basename(root)
  const report: Report = { experiment, runs: 0, files: 0, points: 0, records: 0, passed_over: {}, damaged: [] }
  const progress = output.progress(`import ${experiment}`)
  const places = await placesOf(client, experiment)
  const runs = new Set<string>()
  let left = false
  const leave = () => {
    left = true
  }
  if (options.watch) process.once('SIGINT', leave)
  for (;;) {
    const files = await eventFiles(root)
    report.files = files.length
    for (const file of files) {
      if (left) break
      const known = places.get(file.name)
      if (known?.damage || known?.taken_bytes === file.size_bytes) continue
      const now = await sendFile(client, experiment, file, known?.taken_bytes ?? 0, (taken) => {
        report.points += taken.points
        report.records += taken.records
        for (const [kind, count] of Object.entries(taken.passed_over))
          report.passed_over[kind] = (report.passed_over[kind] ?? 0) + count
        progress.update(`${file.name}: ${report.points.toLocaleString('en')} points`)
      })
      if (now.damage !== undefined) report.damaged.push({ file: file.name, why: now.damage })
      places.set(file.name, { taken_bytes: now.taken_bytes, ...(now.damage !== undefined && { damage: now.damage }) })
      runs.add(file.folder)
    }
    if (!options.watch) {
      for (const folder of new Set(files.map((file) => file.folder)))
        await client.post(`${API}/finish`, { experiment, folder })
      report.runs = new Set(files.map((file) => file.folder)).size
      break
    }
    report.runs = runs.size
    if (left) break
    await new Promise((wake) => setTimeout(wake, LOOK_MS))
  }
  progress.done()
  output.answer(report, () => words(report))
  return report.damaged.length > 0 ? EXIT.failed : undefined
}

function words(report: Report): string {
  const passed = Object.entries(report.passed_over).map(([kind, count]) => `${count} ${kind}`)
  return [
    `${report.experiment}: ${report.runs} runs of ${report.files} files, ${report.points.toLocaleString('en')} points and ${report.records.toLocaleString('en')} histograms, texts and images are new`,
    ...(passed.length > 0 ? [`not taken in: ${passed.join(', ')}`] : []),
    ...report.damaged.map(({ file, why }) => `${file}: ${why}`),
  ].join('\n')
}

async function placesOf(
  client: Client,
  experiment: string,
): Promise<Map<string, { taken_bytes: number; damage?: string }>> {
  const { items } = await client.get<{
    items: { folder: string; file: string; taken_bytes: number; damage: string | null }[]
  }>(`${API}/files?${new URLSearchParams({ experiment })}`)
  return new Map(
    items.map(({ folder, file, taken_bytes, damage }) => [
      nameOf(folder, file),
      { taken_bytes, ...(damage !== null && { damage }) },
    ]),
  )
}

interface EventFile {
  name: string
  full: string
  folder: string
  file: string
  size_bytes: number
}

const nameOf = (folder: string, file: string) => (folder === '.' ? file : `${folder}/${file}`)

/** In the order in which TensorBoard reads them: by name within a folder. */
async function eventFiles(root: string): Promise<EventFile[]> {
  const found: EventFile[] = []
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.includes('tfevents')) continue
    const folder = relative(root, entry.parentPath).split(sep).join('/') || '.'
    const full = join(entry.parentPath, entry.name)
    const facts = await stat(full).catch(() => undefined)
    if (facts) found.push({ name: nameOf(folder, entry.name), full, folder, file: entry.name, size_bytes: facts.size })
  }
  if (found.length > FILES_MAX)
    throw invalid(`${root} has ${found.length} event files, more than ${FILES_MAX}`, {
      remedy: 'Import its sub-folders one by one.',
    })
  return found.sort((a, b) => (a.folder === b.folder ? compare(a.file, b.file) : compare(a.folder, b.folder)))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Sends what stands behind `from`, as far as whole records go. */
async function sendFile(
  client: Client,
  experiment: string,
  { full, folder, file }: EventFile,
  from: number,
  tell: (taken: Taken) => void,
): Promise<{ taken_bytes: number; damage?: string }> {
  const handle = await open(full)
  try {
    let at = from
    let size = PART_BYTES
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, at)
      if (bytesRead === 0) return { taken_bytes: at }
      const where = new URLSearchParams({ experiment, folder, file, from: String(at) })
      const taken = await client.upload<Taken>(`${API}/files?${where}`, buffer.subarray(0, bytesRead))
      tell(taken)
      if (taken.damage !== undefined) return { taken_bytes: taken.taken_bytes, damage: taken.damage }
      const moved = taken.taken_bytes !== at
      at = taken.taken_bytes
      if (moved) size = PART_BYTES
      // The last record is still being written, or it is longer than what was sent.
      else if (bytesRead < size || size >= PART_BYTES_MAX) return { taken_bytes: at }
      else size = PART_BYTES_MAX
    }
  } finally {
    await handle.close()
  }
}
