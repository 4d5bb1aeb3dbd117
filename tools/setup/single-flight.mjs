// One set-up at a time in one checkout: two npm processes in one folder destroy each other's work.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 200

/**
 * Runs `work` while holding `file`. Waits for another holder that lives; takes over from one that died.
 * @template T
 * @param {string} file @param {{ wait_ms_max: number, say: (line: string) => void }} options @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function singleFlight(file, { wait_ms_max, say }, work) {
  const started = Date.now()
  let told = false
  while (!take(file)) {
    const holder = Number(read(file))
    if (holder && !isAlive(holder)) {
      discard(file)
      continue
    }
    if (!told) say(`waiting for the set-up that process ${holder || '?'} is doing`)
    told = true
    if (Date.now() - started > wait_ms_max) {
      throw new Error(
        `Another set-up (process ${holder || '?'}) holds ${file} for too long; remove the file if it is stuck.`,
      )
    }
    await sleep(LOOK_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

/** @param {string} file */
function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Renamed before removal: of two waiters that see one dead holder only one succeeds, and never removes a new lock. @param {string} file */
function discard(file) {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    const holder = Number(read(aside))
    if (holder && isAlive(holder) && holder !== process.pid) writeFileSync(file, String(holder), { flag: 'wx' })
    rmSync(aside, { force: true })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error && 'code' in error ? error.code : undefined)
