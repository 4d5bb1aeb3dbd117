import { Code } from '../../kit/code.tsx'
import { Empty } from '../../kit/condition.tsx'
import { Panel } from '../../kit/page.tsx'
import { Table } from '../../kit/table.tsx'
import styles from './models.module.css'
import { type Field, fieldsOf } from './signature-fields.ts'

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
