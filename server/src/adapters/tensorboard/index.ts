export { tensorboard } from './routes.ts'
