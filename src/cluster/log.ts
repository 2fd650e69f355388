/** Skiff's own log: one JSON line each, on standard output (the background process has it in a file). */
import { pino } from 'pino'
import type { Logger } from '../machinery/log.ts'

/** A logger that says what is at least as grave as `level`. Fields that may hold secrets are struck out wherever they come. */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['*.authorization', '*.token', '*.key', '*.data', '*.stringData', 'headers.authorization'], censor: '[hidden]' },
    },
    pino.destination({ dest: 1, sync: true }),
  ) as Logger
}
