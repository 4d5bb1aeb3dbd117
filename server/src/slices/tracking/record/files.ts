/** Files that make a run's environment again. Every value in them has been matched against what such a value may be. */
import { notFound } from '#kernel/errors.ts'
import type { Recorded } from './record.ts'

export const EXPORTS = ['requirements.txt', 'conda.yaml', 'Dockerfile'] as const
export type ExportName = (typeof EXPORTS)[number]

const PYTHON = /^3\.\d{1,2}(\.\d{1,3})?$/
/** Packages of every environment, which pip brings itself. */
const TOOLS = new Set(['pip', 'setuptools', 'wheel', 'uv'])

/** Throws not-found when nobody recorded exact packages. */
export function exportFile(run_id: string, recorded: Recorded, name: ExportName): string {
  const { lines } = recorded.packages
  if (lines.length === 0)
    throw notFound(`nobody recorded the packages of run ${run_id}`, {
      remedy: 'Install our Python package beside MLflow, run it as a pipeline step, or log a model with it.',
    })
  const packages = lines.filter((line) => !TOOLS.has(line.split('==')[0]!.toLowerCase()))
  // Images and conda know Python by these; what is something else is left to them.
  const python = PYTHON.exec(recorded.python_version ?? '')?.[0]
  const head = `# Packages of run ${run_id.replace(/[^0-9A-Za-z_-]/g, '')}, as its ${recorded.packages.from} had them.`
  switch (name) {
    case 'requirements.txt':
      return `${head}\n${packages.join('\n')}\n`
    case 'conda.yaml':
      return [
        head,
        'name: run',
        'channels: [conda-forge]',
        'dependencies:',
        `  - python${python ? `=${python}` : ''}`,
        '  - pip',
        '  - pip:',
        ...packages.map((line) => `      - "${line}"`),
        '',
      ].join('\n')
    case 'Dockerfile':
      return [
        head,
        `FROM python:${python ?? '3'}-slim`,
        'RUN useradd --create-home run',
        'WORKDIR /app',
        `RUN pip install --no-cache-dir ${packages.map((line) => `'${line}'`).join(' \\\n    ')}`,
        'USER run',
        'COPY --chown=run . .',
        '',
      ].join('\n')
  }
}
