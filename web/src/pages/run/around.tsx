import type { RunDetail } from '../../api/types.ts'
import { Code } from '../../kit/code.tsx'
import { Empty } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './run.module.css'

/** The data it read, the models it left, and the runs around it. */
export function InputsAndOutputs({ run }: { run: RunDetail }) {
  return (
    <div className="stack">
      <Panel title="Data read">
        {run.inputs.length === 0 ? (
          <Empty title="No input was logged" command="mlflow.log_input(dataset, context=&quot;training&quot;)" />
        ) : (
          <Table
            label="Data read"
            rows={run.inputs}
            keyOf={({ name, digest, context }) => `${name}${digest}${context}`}
            columns={[
              {
                key: 'name',
                head: 'Dataset',
                cell: ({ name, dataset_version }) =>
                  dataset_version ? <A href={paths.datasetVersionById(dataset_version)}>{name}</A> : name,
              },
              { key: 'context', head: 'As', cell: ({ context }) => context ?? '' },
              { key: 'digest', head: 'Digest', cell: ({ digest }) => <code>{shortId(digest)}</code> },
              {
                key: 'source',
                head: 'From',
                grow: true,
                wide: true,
                cell: ({ source_type, source }) => (
                  <span className="small clip" title={source}>
                    {source_type}
                  </span>
                ),
              },
            ]}
          />
        )}
      </Panel>
      <Panel title="Models left">
        {run.models.length === 0 ? (
          <Empty title="No model was logged" command={'mlflow.sklearn.log_model(model, name="model")'} />
        ) : (
          <Table
            label="Models left"
            rows={run.models}
            keyOf={({ model_id, direction }) => model_id + direction}
            hrefOf={({ model_id }) => paths.loggedModel(model_id)}
            columns={[
              {
                key: 'name',
                head: 'Model',
                cell: ({ model_id, name }) => <A href={paths.loggedModel(model_id)}>{name}</A>,
              },
              {
                key: 'status',
                head: 'State',
                cell: ({ status }) => <State value={status.replace('LOGGED_MODEL_', '').toLowerCase()} />,
              },
              { key: 'type', head: 'Type', cell: ({ model_type }) => model_type },
              { key: 'made', head: 'Made', align: 'right', cell: ({ created }) => <Time at={created} /> },
            ]}
          />
        )}
      </Panel>
      {run.children.length > 0 && (
        <Panel
          title="Its parts"
          aside={<A href={paths.compareRuns(run.children.slice(0, 8).map(({ run_id }) => run_id))}>Compare them</A>}
        >
          <Table
            label="Runs under this one"
            rows={run.children}
            keyOf={({ run_id }) => run_id}
            hrefOf={({ run_id }) => paths.run(run_id)}
            columns={[
              {
                key: 'name',
                head: 'Run',
                grow: true,
                cell: ({ run_id, name }) => <A href={paths.run(run_id)}>{name}</A>,
              },
              { key: 'status', head: 'State', cell: ({ status }) => <State value={status} /> },
              { key: 'started', head: 'Started', align: 'right', cell: ({ started }) => <Time at={started} /> },
            ]}
          />
        </Panel>
      )}
    </div>
  )
}

/** With what it ran: source, commit, Python and its packages. */
export function Environment({ run }: { run: RunDetail }) {
  const { environment, tags } = run
  const tag = (key: string) => tags.find((each) => each.key === key)?.value
  return (
    <div className="stack">
      <Panel>
        <Facts
          list
          items={[
            ['Source', environment.source_name ? <code key="s">{environment.source_name}</code> : undefined],
            [
              'Commit',
              environment.git_commit ? (
                <Copy key="c" text={environment.git_commit} />
              ) : (
                <span key="c" className="muted">
                  not recorded
                </span>
              ),
            ],
            [
              'Python',
              environment.python_version ?? (
                <span key="p" className="muted">
                  not recorded
                </span>
              ),
            ],
            ['Lock', tag('slipway.environment') ? <Copy key="l" text={tag('slipway.environment')!} /> : undefined],
            [
              'Pipeline run',
              tag('slipway.pipeline_run') ? (
                <A key="r" href={paths.pipelineRun(tag('slipway.pipeline_run')!)}>
                  {shortId(tag('slipway.pipeline_run')!)}
                </A>
              ) : undefined,
            ],
            ['Artifacts', <Copy key="a" text={run.artifact_uri} />],
          ]}
        />
      </Panel>
      <Panel
        title="Packages"
        note={environment.from_model ? `As the model ${environment.from_model} states them.` : undefined}
      >
        {environment.requirements.length === 0 ? (
          <Empty title="No package list was recorded">A logged model brings its requirements along.</Empty>
        ) : (
          <Code label="Packages" className={styles.packages} text={environment.requirements.join('\n')} />
        )}
      </Panel>
    </div>
  )
}
