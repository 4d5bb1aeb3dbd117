// Looks for the Python that users' code, models and the example run on.
import { spawnSync } from 'node:child_process'
import process from 'node:process'

const SUITABLE = ['3.11', '3.12', '3.13']
const COMMANDS = ['python3', ...SUITABLE.map((version) => `python${version}`), 'python']
const PROBE = 'import sys, sysconfig, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'

/** Why no Python here can be used and how to get one, as one sentence; undefined when there is one. */
export function pythonProblem(env = process.env) {
  const wanted = env.SLIPWAY_PYTHON ? [env.SLIPWAY_PYTHON] : COMMANDS
  const found = []
  for (const command of wanted) {
    const { status, stdout, stderr } = spawnSync(command, ['-c', PROBE], { encoding: 'utf8', env, timeout: 20_000 })
    if (status === 0 && SUITABLE.includes(stdout.trim())) return undefined
    if (status === 0) found.push(`${command} is ${stdout.trim()}`)
    else if (stderr?.includes('ensurepip')) found.push(`${command} has no ensurepip: apt-get install python3-venv`)
  }
  return (
    `Python 3.11, 3.12 or 3.13 with venv is needed for training code, models and the example; looked for ${wanted.join(', ')}` +
    `${found.length > 0 ? ` (${found.join('; ')})` : ''}. ` +
    'Get it with "apt-get install python3 python3-venv" on Debian or Ubuntu, or "brew install python@3.13" on macOS.'
  )
}
