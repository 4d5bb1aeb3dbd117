import { looksOf } from '../../kit/charts/curves.ts'
import { Legend } from '../../kit/charts/legend.tsx'
import { airy, linear, ticks, timeTicks, timeWords } from '../../kit/charts/scale.ts'
import { useWidth } from '../../kit/charts/width.ts'
import { measure } from '../../kit/format.ts'
import styles from './artifacts.module.css'
import { alongOf, type DrawnTrace, type HeatMap, type Raw, textOf, traceOf } from './figure-data.ts'

const HEIGHT = 380
const PAD = { left: 64, right: 16, top: 34, bottom: 52 }
const NAMES_MAX = 24
const NAME_CHARS = 18

/**
 * A plotly figure drawn simply: lines, dots, bars, histograms and heat maps of one pair of axes. Plotly itself is 4 MB of
 * script that writes style attributes, which the policy of this page forbids; the file has the whole figure.
 */
export function Figure({ label, data, layout }: { label: string; data: Raw[]; layout: Raw }) {
  const [ref, width] = useWidth<HTMLDivElement>(700)
  const traces = data.map(traceOf)
  const heat = traces.find((trace): trace is HeatMap => trace !== undefined && 'z' in trace)
  const drawn = traces.filter((trace): trace is DrawnTrace => trace !== undefined && !('z' in trace))
  const missing = data.filter((_, at) => traces[at] === undefined).map(({ type }) => String(type))
  const title = textOf(layout.title)
  const axis = (name: string) => textOf((layout[name] as Raw | undefined)?.title)
  return (
    <div ref={ref} className={styles.figure}>
      {heat ? (
        <Heat label={label} heat={heat} title={title} width={width} />
      ) : drawn.length > 0 ? (
        <Plane label={label} traces={drawn} title={title} x={axis('xaxis')} y={axis('yaxis')} width={width} />
      ) : (
        <p className="muted">Nothing of this figure can be drawn here.</p>
      )}
      {missing.length > 0 && (
        <p className="muted small">Not drawn here: {[...new Set(missing)].join(', ')}. Download it for the rest.</p>
      )}
    </div>
  )
}

function Plane({
  label,
  traces,
  title,
  x,
  y,
  width,
}: {
  label: string
  traces: readonly DrawnTrace[]
  title: string
  x: string
  y: string
  width: number
}) {
  const along = alongOf(traces)
  const bars = traces.filter(({ kind }) => kind === 'bars')
  const values = traces.flatMap((trace) => trace.y).filter(Number.isFinite)
  let [low, high] = bars.length > 0 ? [0, 0] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  const sx = linear(along.min, along.max, PAD.left, width - PAD.right)
  const sy = linear(...airy(low, high), HEIGHT - PAD.bottom, PAD.top)
  const each = along.names?.length ?? traces[0]!.x.length
  const bar_px =
    bars.length > 0 ? Math.max(1, ((width - PAD.left - PAD.right) / Math.max(1, each)) * 0.8) / bars.length : 0
  const every = along.names ? Math.ceil(along.names.length / Math.min(NAMES_MAX, Math.max(2, width / 70))) : 1
  return (
    <>
      {traces.length > 1 && (
        <Legend lines={traces.map(({ name }, at) => ({ key: `${at}`, label: name, ...looksOf(at) }))} />
      )}
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`${title || label}: ${traces.map(({ name, y: of }) => `${name}, ${of.length} values`).join('; ')}`}
      >
        <text x={width / 2} y={16} textAnchor="middle" className={styles.title}>
          {title}
        </text>
        {ticks(sy.min, sy.max, 6).map((tick) => (
          <g key={tick}>
            <line x1={PAD.left} x2={width - PAD.right} y1={sy.at(tick)} y2={sy.at(tick)} className={styles.grid} />
            <text x={PAD.left - 8} y={sy.at(tick) + 4} textAnchor="end">
              {measure(tick)}
            </text>
          </g>
        ))}
        {along.names
          ? along.names
              .filter((_, at) => at % every === 0)
              .map((name) => (
                <text key={name} x={sx.at(along.at(name))} y={HEIGHT - PAD.bottom + 16} textAnchor="middle">
                  {name.length > NAME_CHARS ? `${name.slice(0, NAME_CHARS - 1)}…` : name}
                </text>
              ))
          : (along.time ? timeTicks : ticks)(sx.min, sx.max, Math.max(2, width / 110)).map((tick) => (
              <text key={tick} x={sx.at(tick)} y={HEIGHT - PAD.bottom + 16} textAnchor="middle">
                {along.time ? timeWords(tick, sx.max - sx.min) : measure(tick)}
              </text>
            ))}
        <text x={(PAD.left + width) / 2} y={HEIGHT - 10} textAnchor="middle">
          {x}
        </text>
        <text transform={`translate(12 ${HEIGHT / 2}) rotate(-90)`} textAnchor="middle">
          {y}
        </text>
        {traces.map((trace, at) => {
          const { color, dash } = looksOf(at)
          const points = trace.x.map((value, each) => [sx.at(along.at(value)), trace.y[each]!] as const)
          if (trace.kind === 'bars') {
            const shift = (bars.indexOf(trace) - bars.length / 2) * bar_px
            return points.map(([px, value], each) => (
              <rect
                // biome-ignore lint/suspicious/noArrayIndexKey: values of a file that does not change
                key={`${at} ${each}`}
                x={px + shift}
                width={Math.max(0.5, bar_px - 1)}
                y={Math.min(sy.at(value), sy.at(0))}
                height={Math.abs(sy.at(value) - sy.at(0)) || 0}
                fill={color}
              >
                <title>{`${String(trace.x[each])}: ${measure(value)}`}</title>
              </rect>
            ))
          }
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: traces of a file that does not change
            <g key={at}>
              {trace.kind !== 'dots' && (
                <path
                  d={pathOf(points, sy.at)}
                  fill="none"
                  stroke={color}
                  strokeWidth="1.8"
                  {...(dash && { strokeDasharray: dash })}
                />
              )}
              {trace.kind !== 'line' &&
                points.map(([px, value], each) =>
                  Number.isFinite(value) ? (
                    // biome-ignore lint/suspicious/noArrayIndexKey: values of a file that does not change
                    <circle key={each} cx={px} cy={sy.at(value)} r="3" fill={color} opacity="0.8">
                      <title>{`${String(trace.x[each])}, ${measure(value)}`}</title>
                    </circle>
                  ) : null,
                )}
            </g>
          )
        })}
      </svg>
    </>
  )
}

function pathOf(points: readonly (readonly [number, number])[], at: (y: number) => number): string {
  let path = ''
  let open = false
  for (const [x, y] of points) {
    if (Number.isFinite(y)) path += `${open ? 'L' : 'M'}${x.toFixed(1)} ${at(y).toFixed(1)}`
    open = Number.isFinite(y)
  }
  return path
}

function Heat({ label, heat, title, width }: { label: string; heat: HeatMap; title: string; width: number }) {
  const known = heat.z.flat().filter((value): value is number => value !== null && Number.isFinite(value))
  const [low, high] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number])
  const wide = (width - PAD.left - PAD.right) / heat.z[0]!.length
  const tall = (HEIGHT - PAD.top - PAD.bottom) / heat.z.length
  const short = (name: string) => (name.length > 9 ? `${name.slice(0, 8)}…` : name)
  return (
    <svg width={width} height={HEIGHT} role="img" aria-label={`${title || label}: ${heat.z.length} rows of values`}>
      <text x={width / 2} y={16} textAnchor="middle" className={styles.title}>
        {title}
      </text>
      {heat.z.flatMap((row, line) =>
        row.map((value, at) => {
          const share = value === null || high === low ? 0 : (value - low) / (high - low)
          const [px, py] = [PAD.left + at * wide, HEIGHT - PAD.bottom - (line + 1) * tall]
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: values of a file that does not change
            <g key={`${line} ${at}`}>
              <rect
                x={px}
                y={py}
                width={wide}
                height={tall}
                fill={`color-mix(in oklab, var(--s1) ${Math.round(share * 85)}%, var(--surface))`}
              >
                <title>{`${heat.x[at]}, ${heat.y[line]}: ${measure(value)}`}</title>
              </rect>
              {wide > 44 && tall > 18 && (
                <text
                  x={px + wide / 2}
                  y={py + tall / 2 + 4}
                  textAnchor="middle"
                  {...(share > 0.5 && { style: { fill: 'var(--bg)' } })}
                >
                  {measure(value)}
                </text>
              )}
            </g>
          )
        }),
      )}
      {heat.y.map((name, line) => (
        <text key={name} x={PAD.left - 8} y={HEIGHT - PAD.bottom - (line + 0.5) * tall + 4} textAnchor="end">
          {tall > 11 ? short(name) : ''}
        </text>
      ))}
      {heat.x.map((name, at) => (
        <text key={name} x={PAD.left + (at + 0.5) * wide} y={HEIGHT - PAD.bottom + 16} textAnchor="middle">
          {wide > 30 ? short(name) : ''}
        </text>
      ))}
    </svg>
  )
}
