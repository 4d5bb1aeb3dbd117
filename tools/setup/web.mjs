// The UI is built from its sources: by the set-up, once for each change of them, so that a bare clone shows it too.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'

const NOT_SOURCES = new Set(['dist', 'dist.new', 'node_modules'])

/**
 * Tells the sources of the UI apart from others, by content; undefined while there are none.
 * @param {string} root
 */
export function webKey(root) {
  if (!existsSync(path.join(root, 'web/index.html'))) return undefined
  const hash = createHash('sha256')
  for (const file of filesBelow(path.join(root, 'web'))) {
    hash.update(`${path.relative(root, file)}\0`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/**
 * Builds beside and switches: a server that runs meanwhile never serves a half of it.
 * @param {string} root
 * @param {(args: string[]) => Promise<{ code: number | string, output: string }>} node runs Node 26
 * @returns {Promise<string | undefined>} why it could not be built
 */
export async function buildWeb(root, node) {
  const [fresh, built] = [path.join(root, 'web/dist.new'), path.join(root, 'web/dist')]
  const args = ['build', 'web', '--logLevel', 'warn', '--outDir', fresh, '--emptyOutDir']
  const { code, output } = await node(['node_modules/vite/bin/vite.js', ...args])
  if (code === 0) {
    rmSync(built, { recursive: true, force: true })
    renameSync(fresh, built)
    return undefined
  }
  rmSync(fresh, { recursive: true, force: true })
  return output.trim().split('\n').slice(0, 6).join('\n')
}

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) return NOT_SOURCES.has(entry.name) ? [] : filesBelow(file)
      return entry.isFile() && !/\.test\.tsx?$/.test(entry.name) ? [file] : []
    })
}
