/** Something the user can mend: the message is one line that says what is wrong and how. Printed without a stack. */
export class UserError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UserError'
  }
}
