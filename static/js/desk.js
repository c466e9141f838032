// Comforts of the dashboard, the platform's pages and the rider's. Nothing here is needed to run a shop.
import "./parts/once.js";
import "./parts/autosubmit.js";
import "./parts/stepper.js";
import "./parts/countdown.js";
import "./parts/dialog.js";
import "./parts/counter.js";
import "./parts/share.js";
import "./parts/upload.js";
import "./parts/locate.js";
import "./parts/watch.js";
