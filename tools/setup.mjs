// Makes a clone ready to run: `npm run setup`, and before `npm run demo`, `npm test`, `npm run check` and `npm run bench`.
//
// Plain JavaScript that Node 20 runs, without any dependency: it is what brings the dependencies and Node 26 here.
// The npm scripts start it by $npm_node_execpath, the Node that runs npm: the one in node_modules may be what is to be
// put right. When nothing has changed it costs one stat and a few small digests, and touches no network.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { differences, installPlan, PLATFORM_PACKAGE } from './setup/lock.mjs'
import { singleFlight } from './setup/single-flight.mjs'
import { buildWeb, webKey } from './setup/web.mjs'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** Raised when this script starts to leave something else behind, so that older set-ups are done again. */
const SETUP_FORMAT = 1
/** A slow line and an empty npm cache took 4 minutes; past this somebody should look. */
const INSTALL_MS_MAX = 15 * 60_000
const BUILD_MS_MAX = 5 * 60_000
const PROGRESS_MS = 10_000

/** Read by `tools/prepare.ts`; when one of them changes, it is asked again. */
const PREPARE_INPUTS = [
  'tools/prepare.ts',
  'python/environment.lock',
  'server/test/journeys/environment.lock',
  'server/test/boards/environment.lock',
  'examples/flights/environment.lock',
]

/**
 * What each purpose needs: modules of which folders (`tools/arch` has a TypeScript of its own), and whether
 * `tools/prepare.ts`, run by Node 26, has to look for Python and build environments, and whether the UI is shown.
 * @type {Record<string, { folders: string[], prepare: boolean, web: boolean }>}
 */
const PURPOSES = {
  base: { folders: ['.'], prepare: false, web: true },
  demo: { folders: ['.'], prepare: true, web: true },
  test: { folders: ['.', 'tools/arch'], prepare: true, web: true },
  check: { folders: ['.', 'tools/arch'], prepare: false, web: false },
}

/** @typedef {(line: string) => void} Say where progress is told */

class SetupError extends Error {}

/**
 * @param {string} purpose one of PURPOSES
 * @param {{ root?: string, say?: Say }} [options]
 */
export async function setup(purpose, { root = ROOT, say = sayToTerminal } = {}) {
  const needs = PURPOSES[purpose]
  if (!needs) throw new SetupError(`There is no set-up for ${purpose}, only for ${Object.keys(PURPOSES).join(', ')}.`)
  const { folders, prepare, web } = needs
  const isPrepared = () => !prepare || readJson(stampFile(root, '.'))?.prepared?.[purpose] === prepareKey(root)
  const isBuilt = () => !web || webIsBuilt(root)
  if (folders.every((folder) => isReady(root, folder)) && isPrepared() && isBuilt()) return
  await singleFlight(path.join(root, '.setup.lock'), { wait_ms_max: INSTALL_MS_MAX, say }, async () => {
    for (const folder of folders) {
      if (isReady(root, folder)) continue
      await install(root, folder, say)
      writeStamp(root, folder, {})
    }
    if (!isBuilt()) await build(root, say)
    if (isPrepared()) return
    const { code } = await run(nodeBinary(root), ['tools/prepare.ts', purpose], { cwd: root, stdio: 'inherit' })
    if (code !== 0) throw new SetupError(`not ready for ${purpose}: see above`)
    writeStamp(root, '.', { prepared: { ...readJson(stampFile(root, '.'))?.prepared, [purpose]: prepareKey(root) } })
  })
}

/** Also true when these very sources could not be built: that was told then. @param {string} root */
function webIsBuilt(root) {
  const key = webKey(root)
  const stamp = readJson(stampFile(root, '.'))
  if (key === undefined || stamp?.web_failed === key) return true
  return stamp?.web === key && existsSync(path.join(root, 'web/dist/index.html'))
}

/** Without the UI everything else still works, so a failure is told and no more. @param {string} root @param {Say} say */
async function build(root, say) {
  say('building the UI')
  const key = webKey(root)
  const env = { ...process.env, NO_COLOR: '1' }
  const problem = await buildWeb(root, (args) => run(nodeBinary(root), args, { cwd: root, env, timeout: BUILD_MS_MAX }))
  if (problem) say(`the UI could not be built and will be missing:\n${problem}`)
  if (key) writeStamp(root, '.', problem ? { web_failed: key } : { web: key })
}

/** @param {string} root @param {string} folder @param {Say} say */
async function install(root, folder, say) {
  const cwd = path.join(root, folder)
  const lock = readJson(path.join(cwd, 'package-lock.json'))
  const stale = differences(lock, readJson(path.join(cwd, 'node_modules/.package-lock.json')))
  if (stale.length > 0) {
    const why = existsSync(path.join(cwd, 'node_modules')) ? `${stale.length} packages changed` : 'first time'
    await npmCi(
      cwd,
      `installing ${installPlan(lock).length} packages${folder === '.' ? '' : ` in ${folder}`} (${why})`,
      say,
    )
  }
  if (folder !== '.') return
  const problem = nodeProblem(root)
  if (problem) {
    say(`${problem} Putting it right.`)
    await npmCi(cwd, 'installing again', say)
    const still = nodeProblem(root)
    if (still) throw new SetupError(`${still} npm did not put it right: is ${PLATFORM_PACKAGE} in its registry?`)
  }
  linkNode(root)
}

/**
 * npm 10 takes the link away again together with the packages of the other platforms, whose program has the same name.
 * @param {string} root
 */
function linkNode(root) {
  const link = path.join(root, 'node_modules/.bin/node')
  if (existsSync(link) && realpathSync(link) === realpathSync(nodeBinary(root))) return
  rmSync(link, { force: true })
  mkdirSync(path.dirname(link), { recursive: true })
  symlinkSync(path.relative(path.dirname(link), nodeBinary(root)), link)
}

/** Why Node 26 cannot be used, as one sentence, or undefined. @param {string} root */
function nodeProblem(root) {
  const { version, sha256 } = readJson(path.join(root, 'tools/node-digests.json'))
  const expected = sha256[PLATFORM_PACKAGE]
  if (!expected) {
    throw new SetupError(
      `Slipway runs on Linux and macOS, x64 and arm64 (Windows by WSL); this is ${process.platform} ${process.arch}.`,
    )
  }
  const binary = nodeBinary(root)
  if (!existsSync(binary)) return `Node ${version} (npm package ${PLATFORM_PACKAGE}) is missing.`
  if (createHash('sha256').update(readFileSync(binary)).digest('hex') !== expected) {
    return `Node ${version} in ${PLATFORM_PACKAGE} is damaged: its sha256 is not the one in tools/node-digests.json.`
  }
  const { stdout, stderr, error } = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 20_000 })
  if (stdout?.trim() !== `v${version}`) {
    throw new SetupError(
      `Node ${version} does not run here (${(error?.message ?? stderr).trim().split('\n')[0]}): it needs glibc 2.28 or newer, or macOS 13.5.`,
    )
  }
  return undefined
}

/**
 * `npm ci` with what ONNX Runtime's and users' own npm settings would otherwise spoil. Progress lines, one retry.
 * @param {string} cwd @param {string} what @param {Say} say
 */
async function npmCi(cwd, what, say) {
  const env = {
    ...process.env,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    // Ours is first in PATH, and npm is about to remove it: npm and its scripts run on the system's Node.
    PATH: systemPath(),
    // Set by an outer `npm run` for its own project; a nested npm would take them for its own settings.
    npm_config_local_prefix: undefined,
    npm_config_prefix: undefined,
    npm_package_json: undefined,
    NODE_ENV: undefined,
  }
  const args = [
    'ci',
    '--loglevel=error',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
  ]
  const [command, ...first] = npmCommand()
  for (let attempt = 1; ; attempt++) {
    const started = Date.now()
    say(`${what} …`)
    const timer = setInterval(() => say(`${what}: ${Math.round((Date.now() - started) / 1000)} s`), PROGRESS_MS)
    const { code, output } = await run(command, [...first, ...args], { cwd, env, timeout: INSTALL_MS_MAX })
    clearInterval(timer)
    if (code === 0) return say(`${what}: done in ${Math.round((Date.now() - started) / 1000)} s`)
    const problem = output.match(/npm error code (\S+)/)?.[1] ?? `exit ${code}`
    if (attempt === 2 || problem === 'EUSAGE') {
      const words = output
        .replaceAll(/^npm error ?/gm, '')
        .replace(/^Clean install a project[\s\S]*/m, '')
        .trim()
        .split('\n')
        .slice(0, 30)
        .join('\n')
      throw new SetupError(`npm ci failed in ${cwd} (${problem}):\n${words}`)
    }
    say(`npm ci failed (${problem}); trying once more`)
  }
}

/**
 * The npm that started us where there is one: a user's choice of version is kept.
 * @returns {[string, ...string[]]}
 */
function npmCommand() {
  const started = process.env.npm_execpath
  if (!started || !/npm-cli\.c?js$/.test(started) || !existsSync(started)) return ['npm']
  const system = systemPath()
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'node'))
    .find((file) => existsSync(file))
  return [system ?? process.execPath, started]
}

function systemPath() {
  const ours = `${path.sep}node_modules${path.sep}.bin`
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder && !folder.endsWith(ours))
    .join(path.delimiter)
}

/** True when this folder's modules are those of its lock, by the stamp of the last set-up. @param {string} root @param {string} folder */
function isReady(root, folder) {
  const stamp = readJson(stampFile(root, folder))
  if (stamp?.key !== key(root, folder)) return false
  return folder !== '.' || (stamp.node !== null && stamp.node === nodeMark(root))
}

/** @param {string} root @param {string} folder @param {{ prepared?: Record<string, string>, web?: string, web_failed?: string }} more */
function writeStamp(root, folder, more) {
  const stamp = { ...readJson(stampFile(root, folder)), key: key(root, folder), ...more }
  if (folder === '.') stamp.node = nodeMark(root)
  writeFileSync(stampFile(root, folder), `${JSON.stringify(stamp)}\n`)
}

/** Inside node_modules: whoever removes that, removes the stamp. @param {string} root @param {string} folder */
const stampFile = (root, folder) => path.join(root, folder, 'node_modules/.setup.json')

/** @param {string} root @param {string} folder */
function key(root, folder) {
  const hash = createHash('sha256').update(`${SETUP_FORMAT} ${process.platform} ${process.arch}\0`)
  hash.update(readFileSync(path.join(root, folder, 'package-lock.json')))
  if (folder === '.') hash.update(readFileSync(path.join(root, 'tools/node-digests.json')))
  return hash.digest('hex')
}

/** @param {string} root */
function prepareKey(root) {
  const hash = createHash('sha256')
  for (const file of PREPARE_INPUTS)
    hash.update(existsSync(path.join(root, file)) ? readFileSync(path.join(root, file)) : '')
  return hash.digest('hex')
}

/** Tells whether the binary is still the one whose digest was checked. @param {string} root */
function nodeMark(root) {
  const stat = statSync(nodeBinary(root), { throwIfNoEntry: false })
  return stat && existsSync(path.join(root, 'node_modules/.bin/node'))
    ? `${stat.size} ${stat.mtimeMs} ${stat.ino}`
    : null
}

/** @param {string} root */
const nodeBinary = (root) => path.join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node')

/**
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | string, output: string }>}
 */
function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('error', (error) => resolve({ code: -1, output: `${output}\n${error.message}` }))
    child.on('close', (code, signal) => resolve({ code: code ?? `by ${signal}`, output }))
  })
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** @type {Say} */
function sayToTerminal(line) {
  process.stderr.write(`set-up: ${line}\n`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const purpose = process.argv[2] ?? 'base'
  try {
    if (Number(process.versions.node.split('.')[0]) < 20) {
      throw new SetupError(`Node 20 or newer is needed to set up Slipway; this is ${process.version}.`)
    }
    await setup(purpose)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    sayToTerminal(error.message)
    process.exitCode = 1
  }
}
