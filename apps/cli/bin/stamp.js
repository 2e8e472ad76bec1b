// For Nx, after its own build: the launcher then knows that there is nothing to build.
import { stampBuild } from "./build.js";

stampBuild();
