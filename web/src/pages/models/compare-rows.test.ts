import { expect, test } from 'vitest'
import { deltaOf, diffSections, environmentOf } from './compare-rows.ts'

const version = (of: Partial<Parameters<typeof diffSections>[0][number]>) => ({
  params: [],
  metrics: [],
  signature: null,
  files: [],
  requirements: null,
  python_version: null,
  mlflow_version: null,
  tags: [],
  ...of,
})

test('a requirement is a package and its version, however it is written', () => {
  const requirements = 'Scikit_Learn==1.5.0  # pinned\n\n-r other.txt\nnumpy>=1,<3\nmlflow'
  expect(environmentOf({ requirements, python_version: '3.11.4', mlflow_version: null })).toEqual([
    ['Python', '3.11.4'],
    ['scikit-learn', '==1.5.0'],
    ['numpy', '>=1,<3'],
    ['mlflow', 'any version'],
  ])
})

test('versions side by side: what differs comes first, files by digest, fields of the signature by name', () => {
  const file = (digest: string) => [{ path: 'model.pkl', digest: `sha256:${digest}`, size_bytes: 10 }]
  const sections = diffSections([
    version({
      metrics: [{ key: 'auc', value: 0.7, step: 0, timestamp: '' }] as never,
      params: [
        { key: 'a', value: '1' },
        { key: 'depth', value: '4' },
      ],
      signature: { inputs: '[{"name":"x","type":"double","required":true}]' },
      // Alike in what is shown of them.
      files: file(`aaaaaaaa${'0'.repeat(56)}`) as never,
    }),
    version({
      metrics: [{ key: 'auc', value: 0.75, step: 0, timestamp: '' }] as never,
      params: [
        { key: 'a', value: '1' },
        { key: 'depth', value: '8' },
      ],
      signature: { inputs: '[{"name":"x","type":"long","required":false}]' },
      files: file(`aaaaaaaa${'0'.repeat(55)}1`) as never,
    }),
  ])
  const by = new Map(sections.map(({ title, rows }) => [title, rows]))
  expect([...by.keys()]).toEqual(['Metrics', 'Parameters', 'Signature: inputs', 'Files'])
  expect(by.get('Parameters')!.map(({ key, differs }) => [key, differs])).toEqual([
    ['depth', true],
    ['a', false],
  ])
  expect(by.get('Signature: inputs')![0]!.values).toEqual(['double', 'long, optional'])
  expect(by.get('Files')![0]!.differs).toBe(true)
  expect(deltaOf(by.get('Metrics')![0]!, 1)).toBe('▲ +0.0500')
  expect(deltaOf(by.get('Metrics')![0]!, 0)).toBeUndefined()
})
