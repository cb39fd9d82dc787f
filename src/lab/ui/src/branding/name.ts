/** The name of the application, in the top bar, the title of the page and the About dialog. */
export const APP_NAME = "Clientele";
