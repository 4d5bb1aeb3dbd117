import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { PAGE_DEFAULT, type Route } from '#kernel/http/index.ts'
import type { Monitoring } from './monitoring.ts'
import { AlertsReply, DeliveriesReply, LabelsReply, MonitorReply, MonitorsReply, SecretReply } from './replies.ts'

const API = '/api/slipway/v1'
const MonitorPath = Type.Object({ monitor: Type.String({ minLength: 1, maxLength: 120 }) })
const LABELS_MAX = 1000

export function monitoringRoutes(
  app: FastifyInstance,
  { route, monitoring }: { route: Route; monitoring: Monitoring },
): void {
  route(app, {
    method: 'POST',
    path: `${API}/labels`,
    may: 'monitoring.label',
    summary: 'Labels of predictions, up to 1,000; durable when answered; the one observed last counts',
    body: Type.Object(
      {
        labels: Type.Array(
          Type.Object(
            {
              prediction: Type.String({
                pattern: '^prd_[0-9a-f]{32}(\\.\\d{1,6})?$',
                description: 'Prediction id; `prd_…` means its row 0.',
              }),
              value: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
              observed_at: Type.Optional(
                Type.String({ maxLength: 40, description: 'RFC 3339; the time of arrival when left out.' }),
              ),
            },
            { additionalProperties: false },
          ),
          { minItems: 1, maxItems: LABELS_MAX },
        ),
      },
      { additionalProperties: false },
    ),
    reply: Type.Object({ accepted: Type.Integer() }),
    command: { name: 'monitoring.putLabels', input: ({ who, body }) => monitoring.readLabels(who, body.labels) },
  })

  route(app, {
    method: 'GET',
    path: `${API}/predictions/:prediction/labels`,
    may: 'monitoring.read',
    summary: 'Labels of one prediction row, oldest first; the last counts',
    reply: LabelsReply,
    params: Type.Object({ prediction: Type.String({ pattern: '^prd_[0-9a-f]{32}(\\.\\d{1,6})?$' }) }),
    read: async ({ sql, who, params }) => ({
      items: await monitoring.labelsOf(
        sql,
        who.workspace,
        params.prediction.includes('.') ? params.prediction : `${params.prediction}.0`,
      ),
    }),
  })

  route(app, {
    method: 'GET',
    path: `${API}/monitors`,
    may: 'monitoring.read',
    summary: 'Monitors with their last window',
    reply: MonitorsReply,
    read: async ({ sql, who }) => {
      const items = []
      for (const monitor of await monitoring.listMonitors(sql, who.workspace)) {
        const [last] = await monitoring.windows(sql, who.workspace, monitor.name, 1)
        const open = await monitoring.alerts(sql, who.workspace, { monitor: monitor.name, state: 'open', limit: 50 })
        items.push({ ...monitor, last_window: last ?? null, alerts_open: open.length })
      }
      return { items }
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/monitors/:monitor`,
    may: 'monitoring.read',
    summary: 'One monitor: its windows, oldest first, and alerts',
    reply: MonitorReply,
    params: MonitorPath,
    query: Type.Object({ windows: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 200 })) }),
    read: async ({ sql, who, params, query }) => {
      const monitor = await monitoring.getMonitor(sql, who.workspace, params.monitor)
      return {
        ...monitor,
        windows: await monitoring.windows(sql, who.workspace, monitor.name, query.windows ?? 200),
        alerts: await monitoring.alerts(sql, who.workspace, { monitor: monitor.name, limit: 200 }),
      }
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/alerts`,
    may: 'monitoring.read',
    summary: 'Alerts, newest first',
    reply: AlertsReply,
    query: Type.Object({
      state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('cleared')])),
      endpoint: Type.Optional(Type.String({ maxLength: 120 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: PAGE_DEFAULT })),
    }),
    read: async ({ sql, who, query }) => ({
      items: await monitoring.alerts(sql, who.workspace, {
        limit: query.limit ?? PAGE_DEFAULT,
        ...(query.state !== undefined && { state: query.state }),
        ...(query.endpoint !== undefined && { endpoint: query.endpoint }),
      }),
    }),
  })

  route(app, {
    method: 'GET',
    path: `${API}/alerts/:alert/deliveries`,
    may: 'monitoring.read',
    summary: 'Deliveries of an alert to its webhook',
    reply: DeliveriesReply,
    params: Type.Object({ alert: Type.String({ pattern: '^alt_[0-9a-f]{32}$' }) }),
    read: async ({ sql, who, params }) => ({ items: await monitoring.deliveries(sql, who.workspace, params.alert) }),
  })

  route(app, {
    method: 'GET',
    path: `${API}/webhooks/secret`,
    may: 'monitoring.admin',
    summary: 'The secret that the webhooks of this workspace are signed with (Standard Webhooks)',
    reply: SecretReply,
    read: async ({ who }) => ({ secret: monitoring.webhookSecret(who.workspace) }),
  })
}
