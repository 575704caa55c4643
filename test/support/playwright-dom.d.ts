// playwright-core's declarations name browser classes. Empty stand-ins keep declaration files checked without letting
// the whole DOM library into this program; what a test asks of a page it says itself.
interface Node {}
interface HTMLElement {}
interface SVGElement {}
interface HTMLElementTagNameMap {}
