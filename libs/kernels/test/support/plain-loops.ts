/** What a suite runs after that is to run on the loops in JavaScript, whatever is compiled. */
import { switchCompiledLoopsOff } from "../../src/flat/index.js";

switchCompiledLoopsOff(true);
