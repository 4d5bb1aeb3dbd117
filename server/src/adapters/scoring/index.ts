export { scoring } from './routes.ts'
