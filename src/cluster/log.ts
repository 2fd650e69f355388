/** Skiff's own log: JSON lines on standard output (of the background process, in a file). */
import { pino } from 'pino'
import type { Logger } from '../machinery/log.ts'

/** A logger of messages at `level` and above. Fields that may hold secrets are redacted at any depth. */
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
