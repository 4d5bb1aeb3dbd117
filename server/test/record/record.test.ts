import { execFile, execFileSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PYTHON_PACKAGE_DIR } from '#kernel/environments/index.ts'
import { mlflowEnvironment } from '#kit/mlflow-client.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testStore } from '#kit/store.ts'

interface Item {
  name: string
  value: string | null
  from: string | null
  remedy: string | null
}
interface Recorded {
  sections: { name: string; items: Item[] }[]
  python_version: string | null
  packages: { lines: string[]; from: string | null }
  missing: number
}

const run = promisify(execFile)
let server: MlflowServer
let python: string
let folder: string

beforeAll(async () => {
  python = (await mlflowEnvironment()).python
  server = await startMlflowServer(testStore)
  folder = await mkdtemp(join(tmpdir(), 'slipway-record-'))
  // What `pip install ./python` leaves for MLflow to find.
  const installed = join(folder, 'installed', 'slipway-0.1.0.dist-info')
  await mkdir(installed, { recursive: true })
  await writeFile(join(installed, 'METADATA'), 'Metadata-Version: 2.1\nName: slipway\nVersion: 0.1.0\n')
  await writeFile(
    join(installed, 'entry_points.txt'),
    '[mlflow.run_context_provider]\nslipway = slipway.record:RunContext\n',
  )
  await mkdir(join(folder, 'work'))
  await copyFile(join(import.meta.dirname, 'train.py'), join(folder, 'work', 'train.py'))
  const git = (...words: string[]) => execFileSync('git', ['-C', join(folder, 'work'), ...words], { stdio: 'pipe' })
  git('init', '-q', '-b', 'main')
  git('config', 'user.email', 'ada@example.org')
  git('config', 'user.name', 'ada')
  git('remote', 'add', 'origin', 'https://ada:pass@git.example.org/team/model.git')
  git('add', '.')
  git('commit', '-qm', 'train')
  await writeFile(join(folder, 'work', 'train.py'), '# tuned\n', { flag: 'a' })
}, 600_000)
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

const train = async (path: string, ...words: string[]): Promise<string> => {
  const { stdout } = await run(python, [join(folder, 'work', 'train.py'), ...words], {
    cwd: join(folder, 'work'),
    env: {
      PATH: process.env.PATH ?? '',
      PYTHONPATH: path,
      MLFLOW_TRACKING_URI: server.url,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      GIT_PYTHON_REFRESH: 'quiet',
      PYTHONWARNINGS: 'ignore',
      SLIPWAY_RECORD_VARIABLES: 'OMP_*,DATA_*',
      OMP_NUM_THREADS: '2',
      DATA_API_KEY: 'never shown',
    },
  })
  return /^[0-9a-f]{32}$/m.exec(stdout)![0]
}

const recorded = async (run_id: string): Promise<Recorded> =>
  (await (await fetch(`${server.url}/api/slipway/v1/runs/${run_id}/record`)).json()) as Recorded

const itemOf = ({ sections }: Recorded, section: string, name: string) =>
  sections.find((each) => each.name === section)!.items.find((each) => each.name === name)

describe('a run of a plain MLflow script', () => {
  test('says what nobody recorded, and what to do about it', async () => {
    const found = await recorded(await train(''))
    expect(itemOf(found, 'code', 'entry point')).toMatchObject({ from: 'client' })
    expect(itemOf(found, 'environment', 'exact packages')).toMatchObject({ value: null, from: null })
    expect(itemOf(found, 'environment', 'exact packages')!.remedy).toContain('pip install ./python')
    expect(itemOf(found, 'data', 'inputs')!.remedy).toContain('mlflow.log_input')
    expect(itemOf(found, 'seeds', 'random_state')).toMatchObject({ value: '7' })
    expect(found.missing).toBeGreaterThan(4)
    const file = await fetch(`${server.url}/api/slipway/v1/runs/${await train('')}/export/requirements.txt`)
    expect(file.status).toBe(404)
  }, 60_000)

  test('beside our Python package records all of it, without a line of code and without a secret', async () => {
    const run_id = await train(
      `${join(folder, 'installed')}:${PYTHON_PACKAGE_DIR}`,
      '--differences',
      '--api-key=hidden',
    )
    const found = await recorded(run_id)
    const told = (section: string, name: string) => itemOf(found, section, name)?.value
    expect(told('code', 'commit')).toMatch(/^[0-9a-f]{40}$/)
    expect(told('code', 'branch')).toBe('main')
    expect(told('code', 'remote')).toBe('https://git.example.org/team/model.git')
    expect(told('code', 'differences')).toMatch(/^[0-9a-f]{64}$/)
    expect(told('code', 'arguments')).toBe('--differences --api-key=***')
    expect(told('environment', 'Python')).toMatch(/^3\.\d+\.\d+$/)
    expect(told('system', 'operating system')).toContain('Linux')
    expect(told('system', 'memory')).toMatch(/GiB$/)
    expect(told('variables', 'OMP_NUM_THREADS')).toBe('2')
    expect(JSON.stringify(found)).not.toMatch(/never shown|hidden|ada:pass/)
    expect(found.packages.from).toBe('recorder')
    expect(found.packages.lines).toContainEqual(expect.stringMatching(/^mlflow==3\./))
    expect(found.missing).toBe(1)
    const diff = await fetch(
      `${server.url}/api/slipway/v1/runs/${run_id}/artifacts/file?path=${encodeURIComponent('slipway/changes.diff')}`,
    )
    expect(await diff.text()).toContain('+# tuned')

    const file = async (name: string) =>
      await (await fetch(`${server.url}/api/slipway/v1/runs/${run_id}/export/${name}`)).text()
    const requirements = await file('requirements.txt')
    await run(python, [
      '-c',
      'import sys\nfrom packaging.requirements import Requirement\n[Requirement(line) for line in sys.argv[1].splitlines() if not line.startswith("#")]',
      requirements,
    ])
    await run(python, [
      '-c',
      'import sys, yaml\nmade = yaml.safe_load(sys.argv[1])\nassert made["dependencies"][0].startswith("python=3."), made\nassert len(made["dependencies"][2]["pip"]) > 20',
      await file('conda.yaml'),
    ])
    expect(await file('Dockerfile')).toMatch(/^FROM python:3\.\d+\.\d+-slim$/m)
  }, 90_000)
})

test('what somebody wrote into a tag runs in no file', async () => {
  const { body } = await server.call('POST', '/api/2.0/mlflow/runs/create', {
    experiment_id: '0',
    tags: [
      {
        key: 'slipway.environment.packages',
        value: "numpy==2.0.0\nevil==1'; rm -rf / #\nuv==1\n--index-url=http://x\nq==1 \\\nRUN x\nscipy[a]==1.0",
      },
      { key: 'slipway.environment.python', value: '3.11\nRUN curl' },
      { key: 'slipway.record.code', value: '["no", "object"]' },
      { key: 'slipway.record.system', value: '{"gpus": [{"a": 1}], "memory_bytes": "much", "cpus": null}' },
    ],
  })
  const { run_id } = (body.run as { info: { run_id: string } }).info
  expect((await recorded(run_id)).packages.lines).toEqual(['numpy==2.0.0', 'scipy[a]==1.0', 'uv==1'])
  const text = await (await fetch(`${server.url}/api/slipway/v1/runs/${run_id}/export/Dockerfile`)).text()
  expect(text).toContain("RUN pip install --no-cache-dir 'numpy==2.0.0' \\\n    'scipy[a]==1.0'\n")
  expect(text).not.toMatch(/rm -rf|curl|index-url|RUN x/)
  expect((await fetch(`${server.url}/api/slipway/v1/runs/${run_id}/export/setup.py`)).status).toBe(400)
})
