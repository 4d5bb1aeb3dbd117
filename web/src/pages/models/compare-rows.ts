/** Two or more versions of a model, field by field. */
import type { ModelVersion } from '../../api/types.ts'
import { bytes, measure, NONE, shortId } from '../../kit/format.ts'
import { fieldsOf } from './signature-fields.ts'

export interface DiffRow {
  key: string
  /** In the order of the versions; undefined where it has none. */
  values: (string | undefined)[]
  differs: boolean
}

export interface DiffSection {
  title: string
  rows: DiffRow[]
}

type Compared = Pick<
  ModelVersion,
  'params' | 'metrics' | 'signature' | 'files' | 'requirements' | 'python_version' | 'mlflow_version' | 'tags'
>

/** Sections in the order in which people ask; those without any row are left out. */
export function diffSections(versions: readonly Compared[]): DiffSection[] {
  const side = (name: 'inputs' | 'outputs' | 'params') =>
    rowsOf(
      versions.map(({ signature }) =>
        (fieldsOf(signature?.[name]) ?? []).map(({ name: field, type, required }) => [
          field,
          required ? type : `${type}, optional`,
        ]),
      ),
    )
  return [
    {
      title: 'Metrics',
      rows: numberRows(versions.map(({ metrics }) => metrics.map(({ key, value }) => [key, value] as const))),
    },
    { title: 'Parameters', rows: rowsOf(versions.map(({ params }) => params.map(({ key, value }) => [key, value]))) },
    { title: 'Signature: inputs', rows: side('inputs') },
    { title: 'Signature: outputs', rows: side('outputs') },
    { title: 'Signature: parameters', rows: side('params') },
    { title: 'Environment', rows: rowsOf(versions.map(environmentOf)) },
    {
      title: 'Files',
      rows: rowsOf(
        versions.map(({ files }) =>
          files.map(({ path, digest, size_bytes }) => [path, `${shortId(digest)} · ${bytes(size_bytes)}`]),
        ),
        versions.map(({ files }) => new Map(files.map(({ path, digest }) => [path, digest]))),
      ),
    },
    { title: 'Tags', rows: rowsOf(versions.map(({ tags }) => tags.map(({ key, value }) => [key, value]))) },
  ].filter(({ rows }) => rows.length > 0)
}

/** Requirements by package: `scikit-learn==1.5.0` is `scikit-learn` at `==1.5.0`. */
export function environmentOf({
  requirements,
  python_version,
  mlflow_version,
}: Pick<Compared, 'requirements' | 'python_version' | 'mlflow_version'>): [string, string][] {
  const packages = (requirements ?? '')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('-'))
    .map((line): [string, string] => {
      const [, name = line, rest = ''] = /^([A-Za-z0-9][\w.-]*)\s*(.*)$/.exec(line) ?? []
      // PyPI takes these names for the same.
      return [name.toLowerCase().replace(/[-_.]+/g, '-'), rest.trim() || 'any version']
    })
  return [
    ...(python_version ? [['Python', python_version] as [string, string]] : []),
    ...(mlflow_version ? [['MLflow', mlflow_version] as [string, string]] : []),
    ...packages,
  ]
}

/** What differs comes first; within, by name. `identities` tell apart what reads the same. */
function rowsOf(
  sides: readonly (readonly (readonly [string, string])[])[],
  identities?: readonly ReadonlyMap<string, string>[],
): DiffRow[] {
  const maps = sides.map((side) => new Map(side))
  const keys = [...new Set(sides.flatMap((side) => side.map(([key]) => key)))].sort((a, b) => a.localeCompare(b))
  return keys
    .map((key) => ({
      key,
      values: maps.map((map) => map.get(key)),
      differs: new Set((identities ?? maps).map((map) => map.get(key))).size > 1,
    }))
    .sort((a, b) => Number(b.differs) - Number(a.differs))
}

/** Rounded as everywhere, unless that makes different values look alike. */
function numberRows(sides: readonly (readonly (readonly [string, number | string])[])[]): DiffRow[] {
  const exact = sides.map((side) => side.map(([key, value]) => [key, String(value)] as const))
  return rowsOf(exact).map((row) => {
    const words = row.values.map((value) =>
      value === undefined || !Number.isFinite(Number(value)) ? value : measure(Number(value)),
    )
    return new Set(words).size === new Set(row.values).size ? { ...row, values: words } : row
  })
}

/** Of a metric, how far from the first version's; undefined when one of them is no number. */
export function deltaOf(row: DiffRow, at: number): string | undefined {
  const number = (value: string | undefined) => (value === undefined ? Number.NaN : Number(value.replaceAll(',', '')))
  const delta = number(row.values[at]) - number(row.values[0])
  if (at === 0 || !Number.isFinite(delta) || delta === 0) return undefined
  return `${delta > 0 ? '▲ +' : '▼ −'}${measure(Math.abs(delta))}`
}

export const shown = (value: string | undefined): string => value ?? NONE
