import { Code } from '../../kit/code.tsx'
import { Empty } from '../../kit/condition.tsx'
import { Panel } from '../../kit/page.tsx'
import { Table } from '../../kit/table.tsx'
import styles from './models.module.css'

interface Field {
  name: string
  type: string
  required: boolean
}

/** What goes in and what comes out, as the model states it. */
export function Signature({ signature }: { signature: Record<string, unknown> | null }) {
  const inputs = fieldsOf(signature?.inputs)
  const outputs = fieldsOf(signature?.outputs)
  if (!signature)
    return (
      <Panel title="Signature">
        <Empty title="It states no signature" command="mlflow.models.infer_signature(X, model.predict(X))" />
      </Panel>
    )
  return (
    <Panel title="Signature">
      {inputs || outputs ? (
        <div className={styles.two}>
          {inputs && <Fields label="Inputs" fields={inputs} />}
          {outputs && <Fields label="Outputs" fields={outputs} />}
        </div>
      ) : (
        <Code label="Signature" className={styles.code} text={JSON.stringify(signature, null, 2)} />
      )}
    </Panel>
  )
}

const Fields = ({ label, fields }: { label: string; fields: readonly Field[] }) => (
  <Table
    label={label}
    rows={fields}
    keyOf={({ name }) => name}
    sortField={label.toLowerCase()}
    columns={[
      { key: 'name', head: label, grow: true, cell: ({ name }) => <code>{name}</code> },
      { key: 'type', head: 'Type', cell: ({ type }) => <span className="small nowrap">{type}</span> },
      {
        key: 'required',
        head: <span className="sr">Required</span>,
        cell: ({ required }) => <span className="muted small">{required ? '' : 'optional'}</span>,
      },
    ]}
  />
)

/** MLflow writes each side as JSON text: columns, or tensors. */
function fieldsOf(side: unknown): Field[] | undefined {
  const parsed = typeof side === 'string' ? tryParse(side) : side
  if (!Array.isArray(parsed)) return undefined
  return parsed.map((field: Record<string, unknown>, at) => {
    const tensor = field['tensor-spec'] as { dtype?: string; shape?: number[] } | undefined
    const type = tensor
      ? `tensor of ${tensor.dtype} [${tensor.shape?.map((size) => (size === -1 ? 'n' : size)).join(', ')}]`
      : String(field.type ?? '')
    return {
      name: String(field.name ?? (parsed.length === 1 ? 'the only one' : `number ${at + 1}`)),
      type,
      required: field.required !== false,
    }
  })
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
