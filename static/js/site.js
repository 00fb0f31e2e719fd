// The site's own script: each behaviour is a module; none is needed to read or to act.
import { startCharts } from "./charts.js";
import { startChoose } from "./choose.js";
import { startCopy } from "./copy.js";
import { startDialogs } from "./dialog.js";
import { startForms } from "./forms.js";
import { startLive } from "./live.js";
import { startRefresh } from "./refresh.js";
import { startTheme } from "./theme.js";
import { startZoom } from "./zoom.js";

startTheme();
startChoose();
startCopy();
startDialogs();
startForms();
startCharts();
startLive();
startRefresh();
startZoom();
