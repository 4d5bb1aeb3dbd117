export { webhookChanged, webhookCreated, webhookDeleted } from './events.ts'
export { collaborationRoutes } from './routes.ts'
export {
  type Collaboration,
  collaborationMigrations,
  createCollaboration,
  type Fact,
  type NewWebhook,
  type Webhook,
} from './webhooks.ts'
