/** An error the user can fix: the message is one line that says what is wrong and what to do. Printed without a stack. */
export class UserError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UserError'
  }
}
